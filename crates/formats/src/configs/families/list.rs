//! The list of all families. A new family needs an entry here and a file in this folder.

/// Calls the macro `$then` with the list of all families. This list defines the enum
/// [`Task`](crate::Task) and its methods, the JSON Schemas, the keys of `[quick]` in
/// `study.toml`, and the functions that the program `kindling` calls.
///
/// An entry says, in this order:
///
/// - what the family does, as the documentation of its variant of `Task`,
/// - the name of the variant, and the type of its config with the file that holds it,
/// - `train`: the function that trains a run of the family, by its full path,
/// - `parity`: the function that trains the family on two devices and compares the steps. A
///   family without training steps has no such function.
#[macro_export]
macro_rules! families {
    ($then:ident) => {
        $then! {
            /// Automatic gradients are compared with gradients that are derived by hand.
            Gradients(gradients::GradientsTask) {
                train: kindling_regression::gradients,
            }
            /// A model learns a function of four numbers.
            Regression(regression::RegressionTask) {
                train: kindling_regression::train,
                parity: kindling_regression::parity,
            }
            /// A network learns to label images of digits.
            Classifier(classifier::ClassifierTask) {
                train: kindling_classifiers::train,
                parity: kindling_classifiers::parity,
            }
            /// A network learns to reduce images of digits to a code, and to rebuild them.
            Autoencoder(autoencoder::AutoencoderTask) {
                train: kindling_autoencoder::train,
                parity: kindling_autoencoder::parity,
            }
            /// Principal component analysis reduces and rebuilds images of digits, without
            /// training.
            Pca(pca::PcaTask) {
                train: kindling_autoencoder::pca,
            }
        }
    };
}
