//! Small configurations and what they give.
