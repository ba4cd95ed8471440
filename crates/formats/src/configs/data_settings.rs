//! What `[data]` says about the files of a data set, as settings: `form=npz`. One program passes
//! them to another one.

use std::path::PathBuf;

use toml::{Table, Value};

use crate::error::{Error, Result};

use super::document::typed;
use super::families::ImageData;
use super::keys::set;
use super::selection::Setting;

/// The keys of `[data]` that say how the files of a folder are read.
const KEYS: [&str; 6] = [
    "form",
    "first_label",
    "transpose",
    "size",
    "channels",
    "test_share",
];

/// Whether a dotted path is that of a key that says how files are read.
pub(super) fn is_about_files(path: &str) -> bool {
    path.strip_prefix("data.")
        .is_some_and(|key| KEYS.contains(&key))
}

/// The settings of `data` that say how its files are read, besides the folder.
pub fn data_settings(data: &ImageData) -> Vec<Setting> {
    let table = Table::try_from(data).unwrap_or_default();
    let about_files = table
        .into_iter()
        .filter(|(key, _)| KEYS.contains(&key.as_str()));
    let settings = about_files.map(|(key, value)| Setting { key, value });
    settings.collect()
}

/// All images of the folder `dir`, or of MNIST, whose files are read as `settings` say.
///
/// # Errors
///
/// The first setting whose key is unknown or whose value is not valid.
pub fn images_of(dir: Option<PathBuf>, settings: &[Setting]) -> Result<ImageData> {
    const ORIGIN: &str = "--set";
    let mut table = Table::try_from(ImageData::all(dir)).unwrap_or_default();
    for setting in settings {
        let Setting { key, value } = setting;
        let key = key.strip_prefix("data.").unwrap_or(key);
        set(&mut table, key, Value::clone(value))
            .map_err(|problem| Error::key(ORIGIN, key, problem))?;
    }
    let data: ImageData = typed(table, ORIGIN)?;
    match data.check() {
        Ok(()) => Ok(data),
        Err(problem) => Err(Error::key(ORIGIN, problem.key, problem.problem)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::configs::Form;

    #[test]
    fn settings_are_read_back_and_wrong_ones_are_refused() {
        let dir = Some(PathBuf::from("letters"));
        let data = ImageData {
            form: Some(Form::Pictures),
            first_label: Some(1),
            transpose: Some(true),
            size: Some([8, 9]),
            channels: Some(3),
            test_share: Some(0.25),
            ..ImageData::all(dir.clone())
        };
        let typed = data_settings(&data).into_iter();
        let typed: Vec<String> = typed.map(|setting| setting.to_string()).collect();
        let parsed: Vec<Setting> = typed
            .iter()
            .map(|text| text.parse().expect("a setting"))
            .collect();
        assert_eq!(images_of(dir.clone(), &parsed).expect("valid"), data);
        // How many images are used is not a question of the files.
        let part = ImageData {
            train: Some(5),
            ..ImageData::all(dir.clone())
        };
        assert!(data_settings(&part).is_empty());
        for (wrong, words) in [
            ("form=zip", "`form`: unknown variant `zip`"),
            ("sise=3", "sise"),
            ("channels=2", "`data.channels`: must be 1 (grey) or 3"),
            ("size=[0, 8]", "`data.size`: must be from 1 to 1024"),
            (
                "test_share=1.5",
                "`data.test_share`: must be between 0 and 1",
            ),
        ] {
            let setting = [wrong.parse().expect("a setting")];
            let error = images_of(dir.clone(), &setting).expect_err("refused");
            let error = error.to_string();
            assert!(error.contains(words), "{wrong}: {error}");
        }
        let setting = ["first_label=1".parse().expect("a setting")];
        let error = images_of(None, &setting).expect_err("refused").to_string();
        assert!(error.contains("name the folder with data.dir"), "{error}");
    }
}
