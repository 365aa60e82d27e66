//! Cipher suites of TLS 1.2 that rustls leaves out and browsers still speak: AES in CBC mode with HMAC (RFC 5246
//! section 6.2.3.2, RFC 4492, RFC 5289). Servers of Windows Server 2012 and appliances of that age have nothing
//! else that forward secrecy goes with; a site on one opens for everybody, so it has to open for us.
//!
//! They are asked for last, so that only a server without a better one chooses one. What is read through them is
//! public; no care is taken that nobody can measure how long a wrong record takes.

use std::sync::LazyLock;

use aes::{Aes128, Aes256};
use cbc::cipher::block_padding::NoPadding;
use cbc::cipher::{BlockModeDecrypt as _, BlockModeEncrypt as _, KeyIvInit as _};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;
use sha2::Sha256;
use tokio_rustls::rustls::crypto::cipher::{
    AeadKey, InboundOpaqueMessage, InboundPlainMessage, KeyBlockShape, MessageDecrypter, MessageEncrypter,
    OutboundOpaqueMessage, OutboundPlainMessage, PrefixedPayload, Tls12AeadAlgorithm,
    UnsupportedOperationError,
};
use tokio_rustls::rustls::crypto::ring::{self, cipher_suite};
use tokio_rustls::rustls::{
    CipherSuite, CipherSuiteCommon, ConnectionTrafficSecrets, Error, SupportedCipherSuite, Tls12CipherSuite,
};

/// Bytes of a block, and of the vector in front of each record.
const BLOCK: usize = 16;
/// Most bytes of a record's content (RFC 5246 section 6.2.1).
const CONTENT_MAX: usize = 1 << 14;

/// The suites, best first.
pub(crate) fn suites() -> Vec<SupportedCipherSuite> {
    SUITES.iter().filter_map(|suite| suite.as_ref()).map(SupportedCipherSuite::Tls12).collect()
}

static SUITES: LazyLock<[Option<Tls12CipherSuite>; 6]> = LazyLock::new(|| {
    let (ecdsa, rsa) = (
        cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
        cipher_suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    );
    [
        suite(CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256, ecdsa, &AES_128_SHA256),
        suite(CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256, rsa, &AES_128_SHA256),
        suite(CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA, ecdsa, &AES_256_SHA1),
        suite(CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA, rsa, &AES_256_SHA1),
        suite(CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, ecdsa, &AES_128_SHA1),
        suite(CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA, rsa, &AES_128_SHA1),
    ]
});

/// A suite whose keys are agreed on as in one that rustls has.
fn suite(
    suite: CipherSuite,
    like: SupportedCipherSuite,
    records: &'static Records,
) -> Option<Tls12CipherSuite> {
    let SupportedCipherSuite::Tls12(like) = like else { return None };
    Some(Tls12CipherSuite {
        common: CipherSuiteCommon {
            suite,
            hash_provider: like.common.hash_provider,
            confidentiality_limit: u64::MAX,
        },
        prf_provider: like.prf_provider,
        kx: like.kx,
        sign: like.sign,
        aead_alg: records,
    })
}

/// How records are protected.
struct Records {
    hash: Hash,
    /// Bytes of the cipher's key.
    key: usize,
}

static AES_128_SHA256: Records = Records { hash: Hash::Sha256, key: 16 };
static AES_128_SHA1: Records = Records { hash: Hash::Sha1, key: 16 };
static AES_256_SHA1: Records = Records { hash: Hash::Sha1, key: 32 };

#[derive(Clone, Copy)]
enum Hash {
    Sha1,
    Sha256,
}

impl Hash {
    /// Bytes of its sum, and of a key for it.
    fn bytes(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
        }
    }

    /// The sum over the parts.
    fn sum(self, key: &[u8], parts: [&[u8]; 2]) -> Result<Vec<u8>, Error> {
        macro_rules! sum {
            ($hash:ty) => {{
                let mac = Hmac::<$hash>::new_from_slice(key).map_err(|_| Error::DecryptError)?;
                parts
                    .into_iter()
                    .fold(mac, |mac, part| mac.chain_update(part))
                    .finalize()
                    .into_bytes()
                    .to_vec()
            }};
        }
        Ok(match self {
            Self::Sha1 => sum!(Sha1),
            Self::Sha256 => sum!(Sha256),
        })
    }
}

/// rustls knows no keys of sums. In the key block they stand before those of the cipher, just as its keys stand
/// before its fixed vectors, which these suites do not have.
impl Tls12AeadAlgorithm for Records {
    fn key_block_shape(&self) -> KeyBlockShape {
        KeyBlockShape { enc_key_len: self.hash.bytes(), fixed_iv_len: self.key, explicit_nonce_len: 0 }
    }

    fn encrypter(&self, mac: AeadKey, key: &[u8], _: &[u8]) -> Box<dyn MessageEncrypter> {
        Box::new(Side { hash: self.hash, mac: mac.as_ref().to_vec(), key: key.to_vec() })
    }

    fn decrypter(&self, mac: AeadKey, key: &[u8]) -> Box<dyn MessageDecrypter> {
        Box::new(Side { hash: self.hash, mac: mac.as_ref().to_vec(), key: key.to_vec() })
    }

    fn extract_keys(
        &self,
        _: AeadKey,
        _: &[u8],
        _: &[u8],
    ) -> Result<ConnectionTrafficSecrets, UnsupportedOperationError> {
        Err(UnsupportedOperationError)
    }
}

/// One direction of a connection.
struct Side {
    hash: Hash,
    mac: Vec<u8>,
    key: Vec<u8>,
}

impl Side {
    /// The sum of a record (RFC 5246 section 6.2.3.1).
    fn sum(&self, seq: u64, head: [u8; 3], content: &[u8]) -> Result<Vec<u8>, Error> {
        let mut first = [0; 13];
        first[..8].copy_from_slice(&seq.to_be_bytes());
        first[8..11].copy_from_slice(&head);
        let length = u16::try_from(content.len()).map_err(|_| Error::PeerSentOversizedRecord)?;
        first[11..].copy_from_slice(&length.to_be_bytes());
        self.hash.sum(&self.mac, [&first, content])
    }
}

fn head(typ: u8, version: u16) -> [u8; 3] {
    let [major, minor] = version.to_be_bytes();
    [typ, major, minor]
}

impl MessageEncrypter for Side {
    fn encrypt(
        &mut self,
        message: OutboundPlainMessage<'_>,
        seq: u64,
    ) -> Result<OutboundOpaqueMessage, Error> {
        let content = message.payload.to_vec();
        let sum = self.sum(seq, head(message.typ.into(), message.version.into()), &content)?;
        let whole = self.encrypted_payload_len(content.len());
        let mut vector = [0; BLOCK];
        let random = ring::default_provider().secure_random;
        random.fill(&mut vector).map_err(|_| Error::FailedToGetRandomBytes)?;
        let mut payload = PrefixedPayload::with_capacity(whole);
        payload.extend_from_slice(&vector);
        payload.extend_from_slice(&content);
        payload.extend_from_slice(&sum);
        // The padding's bytes tell how many of them there are besides the last.
        let padding = whole - BLOCK - content.len() - sum.len();
        payload.extend_from_slice(&vec![u8::try_from(padding - 1).unwrap_or(0); padding]);
        // In front stands the room for the record's head.
        let bytes = payload.as_mut();
        let at = bytes.len() - (whole - BLOCK);
        let blocks = &mut bytes[at..];
        let length = blocks.len();
        let wrong = |_| Error::EncryptError;
        match self.key.len() {
            16 => drop(
                cbc::Encryptor::<Aes128>::new_from_slices(&self.key, &vector)
                    .map_err(|_| Error::EncryptError)?
                    .encrypt_padded::<NoPadding>(blocks, length)
                    .map_err(wrong)?,
            ),
            _ => drop(
                cbc::Encryptor::<Aes256>::new_from_slices(&self.key, &vector)
                    .map_err(|_| Error::EncryptError)?
                    .encrypt_padded::<NoPadding>(blocks, length)
                    .map_err(wrong)?,
            ),
        }
        Ok(OutboundOpaqueMessage::new(message.typ, message.version, payload))
    }

    fn encrypted_payload_len(&self, content: usize) -> usize {
        // At least one byte of padding.
        BLOCK + (content + self.hash.bytes() + 1).next_multiple_of(BLOCK)
    }
}

impl MessageDecrypter for Side {
    fn decrypt<'a>(
        &mut self,
        mut message: InboundOpaqueMessage<'a>,
        seq: u64,
    ) -> Result<InboundPlainMessage<'a>, Error> {
        let (kind, sum_bytes) = (head(message.typ.into(), message.version.into()), self.hash.bytes());
        let payload: &mut [u8] = &mut message.payload;
        let wrong = Err(Error::DecryptError);
        if !payload.len().is_multiple_of(BLOCK)
            || payload.len() < BLOCK + (sum_bytes + 1).next_multiple_of(BLOCK)
        {
            return wrong;
        }
        let (vector, blocks) = payload.split_at_mut(BLOCK);
        let fits = match self.key.len() {
            16 => cbc::Decryptor::<Aes128>::new_from_slices(&self.key, vector)
                .is_ok_and(|cipher| cipher.decrypt_padded::<NoPadding>(blocks).is_ok()),
            _ => cbc::Decryptor::<Aes256>::new_from_slices(&self.key, vector)
                .is_ok_and(|cipher| cipher.decrypt_padded::<NoPadding>(blocks).is_ok()),
        };
        let Some((&padding, _)) = blocks.split_last().filter(|_| fits) else { return wrong };
        let Some(end) = blocks.len().checked_sub(usize::from(padding) + 1 + sum_bytes) else { return wrong };
        let (content, rest) = blocks.split_at(end);
        let (told, filled) = rest.split_at(sum_bytes);
        if filled.iter().any(|byte| *byte != padding) || self.sum(seq, kind, content)? != told {
            return wrong;
        }
        if content.len() > CONTENT_MAX {
            return Err(Error::PeerSentOversizedRecord);
        }
        Ok(message.into_plain_message_range(BLOCK..BLOCK + end))
    }
}
