"""`__future__`, so that the most common import of all costs no look into the standard library."""


class _Feature:
    def __init__(
        self,
        optional: tuple,  # type: ignore[type-arg]
        mandatory: "tuple | None",  # type: ignore[type-arg]
        flag: int,
    ) -> None:
        self.optional = optional
        self.mandatory = mandatory
        self.compiler_flag = flag

    def getOptionalRelease(self) -> tuple:  # type: ignore[type-arg]
        return self.optional

    def getMandatoryRelease(self) -> "tuple | None":  # type: ignore[type-arg]
        return self.mandatory


def _feature(optional: str, mandatory: str, flag: int) -> _Feature:
    def release(text: str) -> tuple:  # type: ignore[type-arg]
        major, minor, serial = text.split(".")
        return (int(major), int(minor), 0, "alpha", int(serial))

    return _Feature(release(optional), release(mandatory) if mandatory else None, flag)


nested_scopes = _feature("2.1.1", "2.2.0", 0x10)
generators = _feature("2.2.1", "2.3.0", 0)
division = _feature("2.2.2", "3.0.0", 0x20000)
absolute_import = _feature("2.5.1", "3.0.0", 0x40000)
with_statement = _feature("2.5.1", "2.6.0", 0x80000)
print_function = _feature("2.6.2", "3.0.0", 0x100000)
unicode_literals = _feature("2.6.2", "3.0.0", 0x200000)
barry_as_FLUFL = _feature("3.1.2", "4.0.0", 0x400000)
generator_stop = _feature("3.5.1", "3.7.0", 0x800000)
annotations = _feature("3.7.1", "", 0x1000000)
all_feature_names = [name for name, value in list(globals().items()) if type(value) is _Feature]
