//! The words that people get. `respond` publishes them; `arm` shows them beforehand.
