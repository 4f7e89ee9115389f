//! Route values as parameters.

use std::any::{Any, TypeId};
use std::str::FromStr;

PLACE
