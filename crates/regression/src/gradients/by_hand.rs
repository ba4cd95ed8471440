//! Gradients derived by hand and computed in f64 by plain loops. They share no code with the
//! autodiff that they check.

/// The derivative of ReLU, max(0, x): 1 if x > 0, else 0, and NaN if x is NaN.
///
/// At x = 0 every number from 0 to 1 is a subgradient. Burn uses 0, as do other libraries.
pub fn relu_derivative(x: f64) -> f64 {
    if x.is_nan() {
        x
    } else if x > 0.0 {
        1.0
    } else {
        0.0
    }
}

/// ReLU, max(0, x), but NaN if x is NaN: `f64::max` ignores NaN.
fn relu(x: f64) -> f64 {
    if x.is_nan() { x } else { x.max(0.0) }
}

/// The derivative of the sigmoid 1 / (1 + e^-x): e^-x / (1 + e^-x)^2.
pub fn sigmoid_derivative(x: f64) -> f64 {
    let e = (-x).exp();
    if e == f64::INFINITY {
        return x.exp(); // the exact value, rounded to f64; inf / inf would be NaN
    }
    e / (1.0 + e).powi(2)
}

/// A row of data: the input x and the target y.
pub type Row = ([f64; 4], f64);

/// The mean squared error of the tiny convnet, and its gradient.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ConvnetGradient {
    /// L = 1/n sum (p - y)^2, where p are the predictions.
    pub loss: f64,
    /// dL/dw, indexed `[tap][kernel]`.
    pub w: [[f64; 2]; 3],
    /// dL/du, in the order (pool, kernel).
    pub u: [f64; 4],
}

/// The loss and the gradient of the tiny convnet with kernels `w[tap][kernel]` and weights
/// `u[2 pool + kernel]`, over rows (x, y).
///
/// Let x be padded by a zero on each side, z(i, k) = sum_t w(t, k) x(i + t), and i* the
/// position of the larger z in pool j. Then the chain rule gives
///
/// - m(j, k) = max(0, z(i*, k)) and p = sum u(j, k) m(j, k)
/// - dL/dp = 2 (p - y) / n
/// - dL/du(j, k) = sum dL/dp m(j, k)
/// - dL/dw(t, k) = sum dL/dp sum_j u(j, k) \[z(i*, k) > 0\] x(i* + t)
///
/// At w = 0 and u = 0 every m and every u is zero, and so are both sums. So the gradient is
/// zero there for any data.
pub fn convnet_gradient(w: &[[f64; 2]; 3], u: &[f64; 4], rows: &[Row]) -> ConvnetGradient {
    let mut result = ConvnetGradient {
        loss: 0.0,
        w: [[0.0; 2]; 3],
        u: [0.0; 4],
    };
    let count = rows.len() as f64;
    for (x, y) in rows {
        let padded = [0.0, x[0], x[1], x[2], x[3], 0.0];
        let z = |position: usize, kernel: usize| -> f64 {
            (0..3)
                .map(|tap| w[tap][kernel] * padded[position + tap])
                .sum()
        };
        // For each (pool, kernel): the position of the larger z, and that z.
        let maxima: [(usize, f64); 4] = std::array::from_fn(|index| {
            let (pool, kernel) = (index / 2, index % 2);
            let (first, second) = (2 * pool, 2 * pool + 1);
            let [one, other] = [z(first, kernel), z(second, kernel)];
            // A NaN counts as the larger one, so that it reaches the result.
            if other > one || other.is_nan() {
                (second, other)
            } else {
                (first, one)
            }
        });
        let p: f64 = (0..4).map(|index| u[index] * relu(maxima[index].1)).sum();
        result.loss += (p - y).powi(2) / count;
        let dp = 2.0 * (p - y) / count;
        for (index, &(position, z)) in maxima.iter().enumerate() {
            result.u[index] += dp * relu(z);
            for tap in 0..3 {
                result.w[tap][index % 2] +=
                    dp * u[index] * relu_derivative(z) * padded[position + tap];
            }
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    const W: [[f64; 2]; 3] = [[0.3, -0.7], [0.9, 0.2], [-0.4, 0.5]];
    const U: [f64; 4] = [0.6, -0.8, 1.1, 0.4];

    fn rows() -> Vec<([f64; 4], f64)> {
        (0..20)
            .map(|row| {
                let x = std::array::from_fn(|i| ((row * 7 + i * 13) % 11) as f64 / 2.5 - 2.0);
                (x, (row % 5) as f64 - 1.0)
            })
            .collect()
    }

    /// The central difference (f(h) - f(-h)) / 2h.
    fn slope(f: impl Fn(f64) -> f64) -> f64 {
        let h = 1e-6;
        (f(h) - f(-h)) / (2.0 * h)
    }

    #[test]
    fn sigmoid_agrees_with_finite_differences() {
        for x in [-5.0, -1.0, 0.0, 0.5, 3.0] {
            let found = slope(|h| 1.0 / (1.0 + (-(x + h)).exp()));
            assert!((found - sigmoid_derivative(x)).abs() < 1e-9);
        }
        for x in [-1e6, -709.0, -711.0, -400.0, 400.0, 711.0, 1e6] {
            assert!(sigmoid_derivative(x).abs() < 1e-150, "{x}");
        }
        assert!(sigmoid_derivative(f64::NAN).is_nan() && relu_derivative(f64::NAN).is_nan());
    }

    #[test]
    fn the_convnet_agrees_with_finite_differences() {
        let rows = rows();
        let gradient = convnet_gradient(&W, &U, &rows);
        for tap in 0..3 {
            for kernel in 0..2 {
                let found = slope(|h| {
                    let mut w = W;
                    w[tap][kernel] += h;
                    convnet_gradient(&w, &U, &rows).loss
                });
                assert!((found - gradient.w[tap][kernel]).abs() < 1e-6);
            }
        }
        for index in 0..4 {
            let found = slope(|h| {
                let mut u = U;
                u[index] += h;
                convnet_gradient(&W, &u, &rows).loss
            });
            assert!((found - gradient.u[index]).abs() < 1e-6);
        }
        assert!(gradient.w.as_flattened().iter().all(|g| g.abs() > 1e-3));
    }

    #[test]
    fn the_gradient_is_zero_at_zero_weights_but_the_loss_is_not_minimal() {
        let rows = rows();
        let zero = convnet_gradient(&[[0.0; 2]; 3], &[0.0; 4], &rows);
        assert_eq!(zero.w, [[0.0; 2]; 3]);
        assert_eq!(zero.u, [0.0; 4]);
        let mean_square = rows.iter().map(|(_, y)| y * y).sum::<f64>() / 20.0;
        assert!((zero.loss - mean_square).abs() < 1e-12);
        // Along (w, u) or (w, -u) the loss is lower.
        let up = convnet_gradient(
            &W.map(|row| row.map(|v| v * 0.3)),
            &U.map(|v| v * 0.3),
            &rows,
        );
        let down = convnet_gradient(
            &W.map(|row| row.map(|v| v * 0.3)),
            &U.map(|v| -v * 0.3),
            &rows,
        );
        assert!(up.loss.min(down.loss) < zero.loss);
    }
}
