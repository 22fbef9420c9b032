//! No library at all.

compile_error!(
    "tower-jwt-session needs a library of cryptography: leave its default features on (aws-lc), or add the feature `ring`"
);
