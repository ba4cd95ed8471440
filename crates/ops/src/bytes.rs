//! Arithmetic on the bytes of images, compiled for the vector registers of this processor.

use pulp::{Arch, Simd, WithSimd};

/// The number of bytes of a row whose distance is summed in 32 bits. So many squared differences
/// have a sum below 2^31.
const CHUNK: usize = 1 << 15;

/// The number of bytes that a processor reads from memory at once.
#[cfg(target_arch = "x86_64")]
const LINE: usize = 64;

/// The number of lines that are prefetched. In a longer row the processor itself notices after
/// some lines that the next ones will be read.
#[cfg(target_arch = "x86_64")]
const LINES: usize = 32;

/// Adds each byte divided by 255 to `out`: numbers from 0 to 1, rounded as by a division.
pub fn extend_with_unit(out: &mut Vec<f32>, bytes: &[u8]) {
    Arch::new().dispatch(ExtendWithUnit { out, bytes });
}

struct ExtendWithUnit<'a> {
    out: &'a mut Vec<f32>,
    bytes: &'a [u8],
}

impl WithSimd for ExtendWithUnit<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        const INVERSE: f32 = 1.0 / 255.0;
        self.out.extend(self.bytes.iter().map(|&byte| {
            // A division takes several times as long as these steps, which correct the rounding
            // error of the product. A test compares all 256 results.
            let byte = f32::from(byte);
            let near = byte * INVERSE;
            let rest = (-near).mul_add(255.0, byte);
            rest.mul_add(INVERSE, near)
        }));
    }
}

/// Asks the processor to bring `bytes` into its cache, so that a later read does not wait for
/// the memory. It changes nothing else. Processors other than x86-64 are not asked.
#[allow(unsafe_code, reason = "Rust has no safe function for it")]
pub fn prefetch(bytes: &[u8]) {
    #[cfg(target_arch = "x86_64")]
    for line in bytes.chunks(LINE).take(LINES) {
        use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: every x86-64 processor has this instruction, and it reads no value.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(line.as_ptr().cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = bytes;
}

/// The sum of the squared differences of two rows of bytes of equal lengths.
pub fn squared_distance(a: &[u8], b: &[u8]) -> u64 {
    let arch = Arch::new();
    let chunks = a.chunks(CHUNK).zip(b.chunks(CHUNK));
    chunks
        .map(|(a, b)| u64::from(arch.dispatch(Distance { a, b })))
        .sum()
}

struct Distance<'a> {
    a: &'a [u8],
    b: &'a [u8],
}

impl WithSimd for Distance<'_> {
    type Output = u32;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> u32 {
        let mut sum = 0;
        for (&a, &b) in self.a.iter().zip(self.b) {
            let difference = i32::from(i16::from(a) - i16::from(b));
            sum += difference * difference;
        }
        sum as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_divided_by_255() {
        let bytes: Vec<u8> = (0..1031).map(|place| (place % 256) as u8).collect();
        let mut found = vec![-1.0];
        extend_with_unit(&mut found, &bytes);
        let expected = bytes.iter().map(|&byte| f32::from(byte) / 255.0);
        assert!(found.into_iter().eq([-1.0].into_iter().chain(expected)));
    }

    #[test]
    fn distances_of_large_images_do_not_overflow() {
        assert_eq!(squared_distance(&[3, 0, 255], &[5, 255, 0]), 4 + 2 * 65_025);
        assert_eq!(squared_distance(&[], &[]), 0);
        let (dark, light) = (vec![0; 200_001], vec![255; 200_001]);
        assert_eq!(squared_distance(&dark, &light), 200_001 * 65_025);
    }
}
