"""Random expressions of every kind, as text that validates."""

from hypothesis import strategies as st

ATTRIBUTES = {
    "a": "x",
    "b": "12",
    "kafka.offset": "42",
    "price": "-1.5",
    "list": "c,a,b",
    "empty": "",
}
NAMES = st.sampled_from([*ATTRIBUTES, "missing", "kafka.missing"])
WORDS = st.text(alphabet="ab1.,-é ", max_size=4).map(repr)
SMALL = st.integers(0, 9).map(str)


def _texts(text, number, truth):
    return (
        st.builds("({} ~ {})".format, text, text | number | truth)
        | st.builds("({} + {})".format, text, text)
        | st.builds("({} * {})".format, text, SMALL)
        | st.builds("({} or {})".format, text, text)
        | st.builds("({} if {} else {})".format, text, truth, text)
        | st.builds("({})[{}:]".format, text, SMALL)
        | st.builds("({})[{}]".format, text, SMALL)
        | st.builds("({} | {})".format, text, st.sampled_from(["upper", "lower", "trim", "sha256"]))
        | st.builds("({} | replace({}, {}))".format, text, WORDS, WORDS)
        | st.builds("({} | substring_after({}))".format, text, WORDS)
        | st.builds("({} | pad_left({}, '0'))".format, text | number, SMALL)
        | st.builds("({} | split(',') | join('+'))".format, text)
        | st.builds("({} | default({}))".format, NAMES, text)
        | st.builds("({} | default({}, true))".format, NAMES, text)
        | number.map("({} | string)".format)
    )


def _numbers(text, number, truth):
    operators = st.sampled_from(["+", "-", "*", "/", "//", "%", "**"])
    return (
        st.builds("({} {} {})".format, number, operators, number)
        | st.builds("({} | {})".format, text, st.sampled_from(["int", "float", "length"]))
        | st.builds("({} | {})".format, number, st.sampled_from(["abs", "round", "round(1)"]))
        | number.map("(-{})".format)
        | st.builds("({} | int({}))".format, text, SMALL)
    )


def _truths(text, number, truth):
    comparisons = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])
    return (
        st.builds("({} {} {})".format, text, comparisons, text)
        | st.builds("({} {} {})".format, number, comparisons, number)
        | st.builds("({} {} {})".format, text, st.sampled_from(["in", "not in"]), text)
        | st.builds("({} in [{}, {}])".format, text, text, text)
        | st.builds("({} {} {})".format, truth, st.sampled_from(["and", "or"]), truth)
        | truth.map("(not {})".format)
        | NAMES.map("({} is defined)".format)
        | text.map("({} is empty)".format)
        | st.builds("({} | starts_with({}))".format, text, WORDS)
        | text.map("({} | bool)".format)
    )


def _grow(inner, depth):
    text, number, truth = inner
    if depth == 0:
        return inner
    bigger = (
        text | _texts(text, number, truth),
        number | _numbers(text, number, truth),
        truth | _truths(text, number, truth),
    )
    return _grow(bigger, depth - 1)


TEXTS, NUMBERS, TRUTHS = _grow(
    (
        NAMES | WORDS,
        SMALL | st.sampled_from(["2.5", "flowfile.size"]),
        st.sampled_from(["true", "false"]),
    ),
    3,
)
TEMPLATES = st.builds("{{{{ {} }}}}-{{{{ {} }}}}".format, TEXTS, TEXTS | NUMBERS | TRUTHS)
