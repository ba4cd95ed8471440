//! burn-train's dashboard, with what it needs from us.

use burn_train::Interrupter;
use burn_train::logger::TrainingProgressLogger;
use burn_train::renderer::tui::TuiMetricsRendererWrapper;

use super::terminal::keep_ctrl_c;

/// burn-train's dashboard on the terminal.
pub(crate) struct Dashboard {
    /// Receives burn-train's own callbacks.
    pub renderer: TuiMetricsRendererWrapper,
    shows_stop: bool,
}

impl Dashboard {
    /// Takes the terminal for the dashboard. `interrupter` is how the dashboard's own keys
    /// stop the training.
    pub(crate) fn open(interrupter: Interrupter) -> Self {
        let renderer = TuiMetricsRendererWrapper::new(interrupter, None);
        keep_ctrl_c();
        Self {
            renderer,
            shows_stop: false,
        }
    }

    /// Shows that the training will stop after this epoch.
    pub(crate) fn show_stop(&mut self, epochs: usize, epoch: usize) {
        if !std::mem::replace(&mut self.shows_stop, true) {
            let label = "stopping after this epoch";
            self.renderer.start(epochs, epoch, None, Some(label));
        }
    }
}
