//! Scripts, as far as they are read: their words, texts and signs, and which of their blocks are run when a page is.

use std::cell::OnceCell;
use std::collections::HashSet;

use memchr::memmem;

/// Tokens of a condition, or of what a function is handed, that are looked at.
const CONDITION_MAX: usize = 256;
/// What a condition that asks for phones names.
const PHONES: [&str; 6] = ["android", "iphone", "mobile", "midp", "phone", "useragent"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind<'s> {
    Word(&'s str),
    /// A text between quotes.
    Text(&'s str),
    Sign(u8),
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Token<'s> {
    pub(crate) kind: Kind<'s>,
    /// It is the first of its line.
    pub(crate) first: bool,
}

/// What stands between braces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Block<'s> {
    /// It is run as it stands.
    Runs,
    /// The body of a function.
    Of(&'s str),
    /// What is done on phones alone.
    ForPhones,
    /// On some other condition.
    If,
    /// On the contrary of one, in a loop, or later.
    Else,
}

pub(crate) struct Code<'s> {
    pub(crate) tokens: Vec<Token<'s>>,
    /// Names of functions that are called, or handed over to be, outside of all blocks.
    called: OnceCell<HashSet<&'s str>>,
}

/// The blocks around a place of a script that is read from its beginning on.
#[derive(Default)]
pub(crate) struct Nesting<'s> {
    /// Each open one, and whether it and all around it are run.
    open: Vec<(Block<'s>, bool)>,
    /// The one that was closed last, until another opens.
    pub(crate) closed: Option<Block<'s>>,
}

impl<'s> Nesting<'s> {
    /// Goes past the token at a place, and says whether it is run, if the blocks are that `enters` says.
    pub(crate) fn pass(&mut self, code: &Code<'s>, at: usize, enters: impl Fn(Block<'s>) -> bool) -> bool {
        let runs = self.open.last().is_none_or(|(_, runs)| *runs);
        match code.tokens[at].kind {
            Kind::Sign(b'{') => {
                let block = code.block(at, self.closed.take());
                self.open.push((block, runs && enters(block)));
            }
            Kind::Sign(b'}') => self.closed = self.open.pop().map(|(block, _)| block),
            _ => {}
        }
        runs
    }
}

impl<'s> Code<'s> {
    pub(crate) fn new(script: &'s str) -> Self {
        Self { tokens: tokens(script), called: OnceCell::new() }
    }

    pub(crate) fn kind(&self, at: usize) -> Option<Kind<'s>> {
        self.tokens.get(at).map(|token| token.kind)
    }

    /// Two tokens from a place on.
    pub(crate) fn kinds(&self, at: usize) -> Option<[Kind<'s>; 2]> {
        self.kind(at).zip(self.kind(at + 1)).map(|(one, other)| [one, other])
    }

    pub(crate) fn before(&self, at: usize) -> Option<Kind<'s>> {
        self.kind(at.checked_sub(1)?)
    }

    pub(crate) fn word_before(&self, at: usize) -> &'s str {
        match self.before(at) {
            Some(Kind::Word(word)) => word,
            _ => "",
        }
    }

    /// Where the parenthesis opens that closes in front of a place.
    pub(crate) fn opens(&self, at: usize) -> Option<usize> {
        let mut depth = 0;
        for back in (at.saturating_sub(CONDITION_MAX)..at).rev() {
            match self.tokens[back].kind {
                Kind::Sign(b')') => depth += 1,
                Kind::Sign(b'(') if depth == 1 => return Some(back),
                Kind::Sign(b'(') => depth -= 1,
                _ if depth == 0 => return None,
                _ => {}
            }
        }
        None
    }

    /// What the block is that opens at a place; `closed` is what the one before was.
    fn block(&self, at: usize, closed: Option<Block<'s>>) -> Block<'s> {
        let arrow = self.before(at) == Some(Kind::Sign(b'>'))
            && at >= 2
            && self.kind(at - 2) == Some(Kind::Sign(b'='));
        if arrow {
            return self.opens(at - 2).map_or(Block::Else, |from| self.function(from));
        }
        match self.before(at) {
            Some(Kind::Word("else")) if closed == Some(Block::ForPhones) => Block::Runs,
            Some(Kind::Word("else" | "do")) => Block::Else,
            Some(Kind::Sign(b')')) => {
                let Some(open) = self.opens(at) else { return Block::Else };
                match self.word_before(open) {
                    "function" => self.function(open - 1),
                    "if" if self.asks_for_phones(open, at) => Block::ForPhones,
                    "if" if self.word_before(open - 1) != "else" => Block::If,
                    name if open >= 2 && self.word_before(open - 1) == "function" => Block::Of(name),
                    _ => Block::Else,
                }
            }
            _ => Block::Runs,
        }
    }

    pub(crate) fn asks_for_phones(&self, from: usize, to: usize) -> bool {
        let negated = self.kind(from + 1) == Some(Kind::Sign(b'!'));
        let names = |token: &Token<'_>| match token.kind {
            Kind::Word(text) | Kind::Text(text) => {
                let text = text.to_ascii_lowercase();
                PHONES.iter().any(|phone| text.contains(phone))
            }
            Kind::Sign(_) => false,
        };
        !negated && self.tokens[from..to].iter().any(names)
    }

    /// What becomes of a function without a name that begins at a place.
    pub(crate) fn function(&self, at: usize) -> Block<'s> {
        match self.before(at) {
            Some(Kind::Sign(b'!' | b'+' | b'~')) => Block::Runs,
            Some(Kind::Sign(b'(')) => match self.before(at - 1) {
                None | Some(Kind::Sign(b';' | b'{' | b'}' | b'!')) => Block::Runs,
                Some(Kind::Word("$" | "jQuery" | "ready" | "setTimeout")) => Block::Runs,
                _ => Block::Else,
            },
            Some(Kind::Sign(b'=')) => match self.word_before(at - 1) {
                "onload" => Block::Runs,
                name => Block::Of(name),
            },
            _ => Block::Else,
        }
    }

    /// Whether what stands in a block is run when the page is read.
    pub(crate) fn runs(&self, block: Block<'s>) -> bool {
        match block {
            Block::Runs => true,
            Block::ForPhones | Block::If | Block::Else => false,
            Block::Of(name) => self.is_called(name),
        }
    }

    /// Whether a function is called, or handed over to be, outside of all blocks.
    fn is_called(&self, name: &str) -> bool {
        self.called.get_or_init(|| self.called()).contains(name)
    }

    fn called(&self) -> HashSet<&'s str> {
        let (mut called, mut depth) = (HashSet::new(), 0_usize);
        for (at, token) in self.tokens.iter().enumerate() {
            match token.kind {
                Kind::Sign(b'{') => depth += 1,
                Kind::Sign(b'}') => depth = depth.saturating_sub(1),
                Kind::Word(word) if depth == 0 => {
                    let declared = matches!(self.word_before(at), "function" | "var" | "let" | "const");
                    let set = self.kind(at + 1) == Some(Kind::Sign(b'='));
                    if !declared && !set {
                        called.insert(word);
                    }
                }
                Kind::Text(text) if depth == 0 => {
                    called.insert(text.trim_end_matches([';', ')', '(']));
                }
                _ => {}
            }
        }
        called
    }
}

/// The words, texts and signs of a script, without its remarks.
fn tokens(script: &str) -> Vec<Token<'_>> {
    let bytes = script.as_bytes();
    let mut tokens = Vec::new();
    let (mut at, mut first) = (0, true);
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$') || byte >= 0x80;
    let line_end = |from: usize| memchr::memchr(b'\n', &bytes[from..]).map_or(bytes.len(), |end| from + end);
    while at < bytes.len() {
        let rest = &bytes[at..];
        let from = at;
        let kind = match bytes[at] {
            b'\n' | b'\r' => {
                first = true;
                at += 1;
                continue;
            }
            byte if byte.is_ascii_whitespace() => {
                at += 1;
                continue;
            }
            _ if rest.starts_with(b"//") || rest.starts_with(b"<!--") || rest.starts_with(b"-->") => {
                at = line_end(at);
                continue;
            }
            _ if rest.starts_with(b"/*") => {
                at = memmem::find(rest, b"*/").map_or(bytes.len(), |end| at + end + 2);
                continue;
            }
            quote @ (b'"' | b'\'' | b'`') => {
                let mut end = at + 1;
                while end < bytes.len() && bytes[end] != quote {
                    end += if bytes[end] == b'\\' { 2 } else { 1 };
                }
                at = end + 1;
                // Without its end nothing is known of what follows.
                let Some(text) = script.get(from + 1..end).filter(|_| end < bytes.len()) else { break };
                Kind::Text(text)
            }
            byte if is_word(byte) => {
                at += rest.iter().position(|byte| !is_word(*byte)).unwrap_or(rest.len());
                Kind::Word(&script[from..at])
            }
            sign => {
                at += 1;
                Kind::Sign(sign)
            }
        };
        tokens.push(Token { kind, first });
        first = false;
    }
    tokens
}
