//! The two models of the toy functions. Neither has a bias, so both predict 0 for x = 0.

use burn::module::{Module, Param};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};
use kindling_datasets::stream;
use kindling_formats::ToyModel;
use kindling_harness::init::glorot;

/// The linear model: p = w.x.
#[derive(Module, Debug)]
pub struct Linear {
    /// The weights, `[4, 1]`.
    pub w: Param<Tensor<2>>,
}

impl Linear {
    /// Predicts y.
    ///
    /// # Shapes
    ///
    /// - x: `[rows, 4]`
    /// - output: `[rows]`
    pub fn forward(&self, x: Tensor<2>) -> Tensor<1> {
        x.matmul(self.w.val()).squeeze_dim(1)
    }
}

/// The tiny convnet: a convolution of the four numbers with two kernels of width 3 (padded
/// to keep the width), ReLU, a max-pool by 2, and p = u.m over the four maxima m.
#[derive(Module, Debug)]
pub struct Convnet {
    /// The kernels, one per column: `[3, 2]`.
    pub w: Param<Tensor<2>>,
    /// The weights of the maxima, in the order (pool, kernel): `[4, 1]`.
    pub u: Param<Tensor<2>>,
}

impl Convnet {
    /// Predicts y.
    ///
    /// # Shapes
    ///
    /// - x: `[rows, 4]`
    /// - output: `[rows]`
    pub fn forward(&self, x: Tensor<2>) -> Tensor<1> {
        let [rows, _] = x.dims();
        let edge = Tensor::zeros([rows, 1], &x.device());
        let padded = Tensor::cat(vec![edge.clone(), x, edge], 1);
        // Window i is padded[i..i + 3].
        let windows: Tensor<3> = Tensor::stack(
            (0..3)
                .map(|tap| padded.clone().slice([0..rows, tap..tap + 4]))
                .collect(),
            2,
        );
        let z = windows.reshape([rows * 4, 3]).matmul(self.w.val());
        // [rows, pool, position in the pool, kernel]
        let activated: Tensor<4> = relu(z).reshape([rows, 2, 2, 2]);
        let maxima = activated.max_dim(2).reshape([rows, 4]);
        maxima.matmul(self.u.val()).squeeze_dim(1)
    }
}

/// One of the two models.
#[derive(Module, Debug)]
pub enum Toy {
    /// The linear model.
    Linear(Linear),
    /// The tiny convnet.
    Convnet(Convnet),
}

impl Toy {
    /// Creates a model with the initial weights of `seed`.
    pub fn new(kind: ToyModel, seed: u64, device: &Device) -> Self {
        let mut rng = stream(seed, "init", 0);
        match kind {
            ToyModel::Linear => Toy::Linear(Linear {
                w: glorot([4, 1], 4, 1, &mut rng, device),
            }),
            ToyModel::Convnet => Toy::Convnet(Convnet {
                w: glorot([3, 2], 3, 2, &mut rng, device),
                u: glorot([4, 1], 4, 1, &mut rng, device),
            }),
        }
    }

    /// Predicts y.
    ///
    /// # Shapes
    ///
    /// - x: `[rows, 4]`
    /// - output: `[rows]`
    pub fn forward(&self, x: Tensor<2>) -> Tensor<1> {
        match self {
            Toy::Linear(model) => model.forward(x),
            Toy::Convnet(model) => model.forward(x),
        }
    }

    /// The sum of all squared parameters, `[1]`.
    pub fn sum_of_squares(&self) -> Tensor<1> {
        let squares = |parameter: &Param<Tensor<2>>| parameter.val().powi_scalar(2).sum();
        match self {
            Toy::Linear(model) => squares(&model.w),
            Toy::Convnet(model) => squares(&model.w) + squares(&model.u),
        }
    }
}

/// The mean squared error, `[1]`, of predictions and targets `[rows]`.
pub(crate) fn mean_squared_error(predictions: Tensor<1>, targets: Tensor<1>) -> Tensor<1> {
    (predictions - targets).powi_scalar(2).mean()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_convnet_computes_the_same_as_a_calculation_by_hand() {
        // Computed by hand: x = (1, -2, 3, 0.5), kernels (1, 0, -1) and (0, 2, 0):
        // first:  0-(-2), 1-3, -2-0.5, 3-0 = 2, -2, -2.5, 3 -> pools 2, 3
        // second: 2, -4, 6, 1                              -> pools 2, 6
        // u = (1, 10, 100, 1000) in the order (pool, kernel):
        // 2*1 + 2*10 + 3*100 + 6*1000 = 6322
        let device = Device::default();
        let model = Convnet {
            w: Param::from_tensor(Tensor::from_floats(
                [[1., 0.], [0., 2.], [-1., 0.]],
                &device,
            )),
            u: Param::from_tensor(Tensor::from_floats([[1.], [10.], [100.], [1000.]], &device)),
        };
        let x = Tensor::from_floats([[1., -2., 3., 0.5], [0., 0., 0., 0.]], &device);
        let p: Vec<f32> = model.forward(x).into_data().try_to_vec().expect("values");
        assert_eq!(p, [6322.0, 0.0]);
    }

    #[test]
    fn the_models_have_4_and_10_parameters() {
        let device = Device::default();
        let count = |kind| Toy::new(kind, 0, &device).num_params();
        assert_eq!(count(ToyModel::Linear), 4);
        assert_eq!(count(ToyModel::Convnet), 10);
    }
}
