//! Vectors of images: a vector holds the same value of as many images as it has lanes.
//!
//! Arithmetic on such vectors wastes no lane, whatever the sizes of the images are. Images lie in
//! memory one after the other, so their values are moved here between the two orders. Which lane
//! holds which image depends on the processor; [`scatter`] undoes what [`gather`] does.

use pulp::{Simd, bytemuck};

use super::geometry::LANES;

/// The number of values of each image that are moved together.
const BLOCK: usize = 4;

/// Where the values of an image lie in a buffer of vectors. The other vectors are a border of zeros.
#[derive(Debug, Clone)]
pub(super) struct Places {
    /// For each value of an image, the index of its vector.
    pub of_values: Vec<u32>,
    /// The number of vectors.
    pub vectors: usize,
}

impl Places {
    /// A buffer of zeros.
    pub fn buffer<S: Simd>(&self, simd: S) -> Vec<S::f32s> {
        vec![simd.splat_f32s(0.0); self.vectors]
    }

    /// Moves the values of `images` into a `buffer`. There must be at least one image, and at most
    /// as many as a vector has lanes. In lanes without an image the values are zero.
    #[inline(always)]
    pub fn gather<S: Simd>(&self, simd: S, images: &[f32], buffer: &mut [S::f32s]) {
        let size = self.of_values.len();
        if images.len() < size * S::F32_LANES {
            let mut filled = images.to_vec();
            filled.resize(size * S::F32_LANES, 0.0);
            gather(simd, &filled, &self.of_values, buffer);
        } else {
            gather(simd, images, &self.of_values, buffer);
        }
    }
}

/// Moves four values of each image into four vectors. The values begin at `at` in images of `size`
/// values.
#[inline(always)]
fn gather_block<S: Simd>(simd: S, images: &[f32], size: usize, at: usize) -> [S::f32s; BLOCK] {
    let mut rows = [simd.splat_f32s(0.0); BLOCK];
    for (first, row) in rows.iter_mut().enumerate() {
        // Image `first`, `first` plus 4, and so on, beside each other.
        let row: &mut [f32] = bytemuck::cast_slice_mut(std::slice::from_mut(row));
        let images_of_row = (first..).step_by(BLOCK);
        for (lanes, image) in row.as_chunks_mut::<BLOCK>().0.iter_mut().zip(images_of_row) {
            lanes.copy_from_slice(&images[image * size + at..][..BLOCK]);
        }
    }
    simd.deinterleave_shfl_f32s(rows)
}

/// The image that each lane holds.
#[inline(always)]
fn image_of_lane<S: Simd>(simd: S, lane: usize) -> usize {
    if !S::F32_LANES.is_multiple_of(BLOCK) {
        return lane;
    }
    // Image `i` consists of values `i`.
    let mut images = [[0.0; BLOCK]; LANES];
    for (image, values) in images.iter_mut().enumerate() {
        *values = [image as f32; BLOCK];
    }
    let columns = gather_block(simd, images.as_flattened(), BLOCK, 0);
    let images: &[f32] = bytemuck::cast_slice(&columns[..1]);
    images[lane] as usize
}

/// Whether each lane holds the image of its number, as on processors with AVX2 or AVX-512.
#[inline(always)]
pub(super) fn lanes_are_in_order<S: Simd>(simd: S) -> bool {
    (0..S::F32_LANES).all(|lane| image_of_lane(simd, lane) == lane)
}

/// Moves the values of as many images as a vector has lanes into vectors. Value `i` of the images
/// goes to vector `places[i]`.
#[inline(always)]
pub(super) fn gather<S: Simd>(simd: S, images: &[f32], places: &[u32], vectors: &mut [S::f32s]) {
    let size = places.len();
    let (blocks, rest) = places.as_chunks::<BLOCK>();
    let mut at = 0;
    if S::F32_LANES.is_multiple_of(BLOCK) {
        for places in blocks {
            let columns = gather_block(simd, images, size, at);
            for (&place, column) in places.iter().zip(columns) {
                vectors[place as usize] = column;
            }
            at += BLOCK;
        }
    }
    let rest = if at == 0 { places } else { rest };
    for (&place, value) in rest.iter().zip(at..) {
        let vector: &mut [f32] = bytemuck::cast_slice_mut(&mut vectors[place as usize..][..1]);
        for (lane, cell) in vector.iter_mut().enumerate() {
            *cell = images[image_of_lane(simd, lane) * size + value];
        }
    }
}

/// Moves vectors into images, which have a value for each vector. There must be at most as many
/// images as a vector has lanes.
#[inline(always)]
pub(super) fn scatter<S: Simd>(simd: S, vectors: &[S::f32s], images: &mut [f32]) {
    let all = vectors.len() * S::F32_LANES;
    if images.len() < all {
        let mut filled = vec![0.0; all];
        scatter_all(simd, vectors, &mut filled);
        images.copy_from_slice(&filled[..images.len()]);
    } else {
        scatter_all(simd, vectors, images);
    }
}

/// [`scatter`] into as many images as a vector has lanes.
#[inline(always)]
fn scatter_all<S: Simd>(simd: S, vectors: &[S::f32s], images: &mut [f32]) {
    let size = vectors.len();
    let (blocks, rest) = vectors.as_chunks::<BLOCK>();
    let mut at = 0;
    if S::F32_LANES.is_multiple_of(BLOCK) {
        for &columns in blocks {
            let rows = simd.interleave_shfl_f32s(columns);
            for (first, row) in rows.iter().enumerate() {
                let row: &[f32] = bytemuck::cast_slice(std::slice::from_ref(row));
                let images_of_row = (first..).step_by(BLOCK);
                for (lanes, image) in row.as_chunks::<BLOCK>().0.iter().zip(images_of_row) {
                    images[image * size + at..][..BLOCK].copy_from_slice(lanes);
                }
            }
            at += BLOCK;
        }
    }
    let rest = if at == 0 { vectors } else { rest };
    for (vector, value) in rest.iter().zip(at..) {
        let vector: &[f32] = bytemuck::cast_slice(std::slice::from_ref(vector));
        for (lane, &cell) in vector.iter().enumerate() {
            images[image_of_lane(simd, lane) * size + value] = cell;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pulp::{Arch, Scalar, WithSimd};

    /// Moves images of `size` values into vectors, each value behind two others, and back.
    struct ThereAndBack {
        size: usize,
        images: usize,
    }

    impl WithSimd for ThereAndBack {
        type Output = ();

        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) {
            let Self { size, images } = self;
            let images = images.min(S::F32_LANES);
            let values: Vec<f32> = (1..=images * size).map(|value| value as f32).collect();
            let places = Places {
                of_values: (0..size as u32).map(|value| 3 * value + 2).collect(),
                vectors: 3 * size,
            };
            let mut buffer = places.buffer(simd);
            places.gather(simd, &values, &mut buffer);
            for (at, vector) in buffer.iter().enumerate() {
                let lanes: &[f32] = bytemuck::cast_slice(std::slice::from_ref(vector));
                for (lane, &found) in lanes.iter().enumerate() {
                    let image = image_of_lane(simd, lane);
                    let is_value = at % 3 == 2 && image < images;
                    let expected = if is_value {
                        image * size + at / 3 + 1
                    } else {
                        0
                    };
                    assert_eq!(found, expected as f32, "vector {at} of size {size}");
                }
            }
            let moved: Vec<S::f32s> = (0..size).map(|value| buffer[3 * value + 2]).collect();
            let mut back = vec![0.0; images * size];
            scatter(simd, &moved, &mut back);
            assert_eq!(back, values);
        }
    }

    #[test]
    fn images_become_vectors_and_come_back() {
        for size in [1, 3, 4, 7, 8, 21] {
            for images in [1, 3, 8, 15, 16] {
                Arch::new().dispatch(ThereAndBack { size, images });
                ThereAndBack { size, images }.with_simd(Scalar);
                ThereAndBack { size, images }.with_simd(pulp::Scalar128b);
                ThereAndBack { size, images }.with_simd(pulp::Scalar256b);
                ThereAndBack { size, images }.with_simd(pulp::Scalar512b);
            }
        }
    }
}
