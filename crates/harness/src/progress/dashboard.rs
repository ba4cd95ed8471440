//! burn-train's dashboard, with our handling of Ctrl-C and of a requested stop.

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
    /// Opens the dashboard, which then uses the whole terminal. The keys of the dashboard stop
    /// the training by `interrupter`.
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
