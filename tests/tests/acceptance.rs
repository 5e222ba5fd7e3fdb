//! The acceptance suite, once for each kind of plugin (I8).

use forebay_tests::acceptance::Subject;
use forebay_tests::acceptance_test_v1;

acceptance_test_v1! { builtin: crate::Subject::builtin() }
acceptance_test_v1! { standalone: crate::Subject::standalone() }
