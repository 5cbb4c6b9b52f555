# Since 2026.9 Home Assistant answers `import voluptuous` with probatio: the type checker has to know.
from probatio import *
