# Since 2026.9 Home Assistant answers `import voluptuous` with those parts of probatio that voluptuous has, too.
# The type checker has to know; tests/test_versions.py compares these names, the ones in use, with what is there.
from probatio import (
    REMOVE_EXTRA as REMOVE_EXTRA,
    All as All,
    Any as Any,
    Coerce as Coerce,
    In as In,
    Invalid as Invalid,
    Optional as Optional,
    Required as Required,
    Schema as Schema,
)
