# Since 2026.9 Home Assistant answers `import voluptuous` with those parts of probatio
# that voluptuous has, too. The type checker has to know; tests/test_versions.py
# compares these names, the ones in use, with what is there.
from probatio import (
    REMOVE_EXTRA as REMOVE_EXTRA,
    All as All,
    Any as Any,
    Coerce as Coerce,
    Equal as Equal,
    Exclusive as Exclusive,
    In as In,
    Invalid as Invalid,
    Length as Length,
    Match as Match,
    NotIn as NotIn,
    Optional as Optional,
    Range as Range,
    Required as Required,
    Schema as Schema,
    Url as Url,
)
