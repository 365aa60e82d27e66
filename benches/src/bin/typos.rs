//! Precision and recall of the typos found by statistics, over sentences with their corrections.
//!
//! Each line of the file holds a number, a tab, a sentence, a tab, the sentence as it should be. A
//! sentence counts as found when all of it comes out as it should.

use std::io::Write as _;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::Context as _;
use clap::Parser;
use xunjian_spell::Model;

/// Precision and recall of typos found by statistics.
#[derive(Parser)]
struct Args {
    /// Model of `xunjian dict train`; without it, the shipped one
    #[arg(long)]
    model: Option<PathBuf>,
    /// Print each sentence that was changed wrongly
    #[arg(long)]
    verbose: bool,
    /// Sentences with their corrections
    sentences: PathBuf,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let begun = Instant::now();
    let model = match &args.model {
        Some(file) => Model::from_bytes(&std::fs::read(file)?)?,
        None => Model::shipped(),
    };
    let loaded = begun.elapsed();
    model.suspects("预热");
    let text = std::fs::read_to_string(&args.sentences).context("sentences")?;
    let begun = Instant::now();
    let (mut faulty, mut right, mut partly, mut spoilt, mut chars) = (0, 0, 0, 0, 0);
    for line in text.lines() {
        let mut columns = line.split('\t').skip(1);
        let Some((sentence, wanted)) = columns.next().zip(columns.next()) else { continue };
        chars += sentence.chars().count();
        let mut read = sentence.to_owned();
        for suspect in model.suspects(sentence).into_iter().rev() {
            read.replace_range(suspect.start..suspect.end, &suspect.meant);
        }
        faulty += usize::from(sentence != wanted);
        let outcome = match (sentence == wanted, read == wanted, read == sentence) {
            (false, true, _) => &mut right,
            (true, false, _) => &mut spoilt,
            (false, false, false) => &mut partly,
            _ => continue,
        };
        *outcome += 1;
        if args.verbose && read != wanted {
            writeln!(std::io::stdout(), "{sentence}\n  {read}\n  {wanted}")?;
        }
    }
    let seconds = begun.elapsed().as_secs_f64();
    let share = |part: usize, whole: usize| part as f64 / whole.max(1) as f64;
    let recall = share(right, faulty);
    let f1 = |precision: f64| 2.0 * precision * recall / (precision + recall).max(f64::MIN_POSITIVE);
    let usual = share(right, right + spoilt);
    let strict = share(right, right + spoilt + partly);
    writeln!(
        std::io::stdout(),
        "faulty {faulty}, put right {right}, changed but not put right {partly}, clean ones changed {spoilt}\n\
         precision {usual:.3} (counting the half-mended as wrong, too: {strict:.3}), recall {recall:.3}, F1 {:.3} ({:.3})\n\
         {chars} characters in {seconds:.2} s; model read in {:.2} s",
        f1(usual),
        f1(strict),
        loaded.as_secs_f64()
    )?;
    Ok(())
}
