//! Finds the file of choices that the tuned runs of a tree use.

use crate::configs::{Choices, Size, Study};
use crate::error::{Error, Result};

use super::layout::Layout;

impl Study {
    /// The choices that the tuned runs beside `layout` use: those in its tuned tree, or else
    /// those beside the study's configs. Without either file, no cell has a choice.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, or it was made by trials of another size. Choices of full
    /// trials also serve shorter runs.
    pub fn choices(&self, layout: &Layout) -> Result<Choices> {
        let size = layout.size();
        let own = layout.choices();
        let copied = self.choices_file();
        let file = if own.exists() { &own } else { &copied };
        if !file.exists() {
            return Ok(Choices::none(&own, size));
        }
        let choices = Choices::read(file)?;
        if choices.size != size && choices.size != Size::Full {
            let flag = match size {
                Size::Full => "",
                Size::Quick => " --quick",
                Size::Smoke => " --smoke",
            };
            let problem = format!(
                "its choices were made by {} trials, and serve {0} runs only; run `cargo xtask \
                 tune{flag}`",
                choices.size.name(),
            );
            return Err(Error::file(file, problem));
        }
        Ok(choices)
    }
}
