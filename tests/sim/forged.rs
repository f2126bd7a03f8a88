//! Each judge against a forged trace that breaks its rule.
