"""The public names of a header: what it defines in namespace rondo, outside of detail, and the public members of its classes.

This reads the declarations of our own headers, as clang-format leaves them; it is no C++ parser. What it does not understand it
refuses, so that no name is missed in silence."""

import re

TOKEN = re.compile(r"""
    [A-Za-z_]\w* | \d[\w.']* | "(?:\\.|[^"\\])*" | '(?:\\.|[^'\\])*' | :: | -> | && | \|\| | \.\.\. | \[\[ | \]\] | <=> | <= | >= | == | != | .
""", re.X)
OPENING = {"(": ")", "{": "}", "[": "]", "[[": "]]", "<": ">"}
IDENTIFIER = re.compile(r"[A-Za-z_]\w*$")
# What may stand between `class` and the name, and words before a `(` that is not a parameter list.
DECORATION = re.compile(r"RONDO_[A-Z_]+$|final$")
NO_NAME = {"explicit", "noexcept", "requires", "decltype", "alignas", "sizeof"}


def tokens(text):
    text = re.sub(r"/\*.*?\*/|//[^\n]*", " ", text, flags=re.S)
    text = re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", " ", text, flags=re.M)
    return [t for t in TOKEN.findall(text) if not t.isspace()]


class Reader:
    def __init__(self, text):
        self.tokens = tokens(text)
        self.at = 0
        self.names = set()

    def peek(self, ahead=0):
        return self.tokens[self.at + ahead] if self.at + ahead < len(self.tokens) else ""

    def take(self):
        self.at += 1
        return self.tokens[self.at - 1]

    def skip_balanced(self):
        """Past the bracket that closes the one that comes next. In <...> a > in parentheses does not count."""
        closing = OPENING[self.take()]
        while self.peek() != closing:
            if not self.peek():
                raise ValueError(f"'{closing}' is missing")
            if self.peek() in OPENING and (self.peek() != "<" or closing == ">"):
                self.skip_balanced()
            else:
                self.take()
        self.take()

    def skip_to_semicolon(self):
        while self.peek() != ";":
            if self.peek() in OPENING and self.peek() != "<":
                self.skip_balanced()
            else:
                self.take()
        self.take()

    def skip_constraint(self):
        while True:
            while self.peek() == "!":
                self.take()
            if self.peek() == "requires":
                self.take()
                if self.peek() == "(":
                    self.skip_balanced()
                self.skip_balanced()
            elif self.peek() == "(":
                self.skip_balanced()
            else:
                self.take()
                while self.peek() in ("::", "<"):
                    if self.peek() == "<":
                        self.skip_balanced()
                    else:
                        self.at += 2
            if self.peek() not in ("&&", "||"):
                return
            self.take()

    def scope(self, owner, public):
        """Declarations up to the } of this scope, which is taken; owner is the name of the class, or None."""
        while self.peek() not in ("}", ""):
            word = self.peek()
            if word in ("public", "protected", "private") and self.peek(1) == ":":
                public = word == "public"
                self.at += 2
            else:
                self.declaration(owner, public)
        if self.peek():
            self.take()

    def declaration(self, owner, public):
        while self.peek() in ("[[", "template", "requires"):
            word = self.peek()
            if word == "[[":
                self.skip_balanced()
                continue
            self.take()
            if word == "template" and self.peek() == "<":
                self.skip_balanced()
            elif word == "requires":
                self.skip_constraint()
        word = self.peek()
        if word == ";":
            self.take()
        elif word == "namespace":
            self.namespace()
        elif word in ("class", "struct", "union", "enum"):
            self.type_definition(owner, public)
        elif word == "using":
            if not owner and self.peek(2) == "=":
                self.names.add(self.peek(1))
            self.skip_to_semicolon()
        elif word == "concept":
            self.names.add(self.peek(1))
            self.skip_to_semicolon()
        elif word in ("static_assert", "typedef", "extern"):
            self.skip_to_semicolon()
        elif word == "friend":
            self.function_or_variable(owner, False)
        else:
            self.function_or_variable(owner, public)

    def namespace(self):
        self.take()
        path = []
        while self.peek() != "{":
            path.append(self.take())
        if "detail" in path:
            self.skip_balanced()
        else:
            self.take()
            self.scope(None, True)

    def type_definition(self, owner, public):
        kind = self.take()
        if self.peek() in ("class", "struct"):
            self.take()
        while self.peek() == "[[" or DECORATION.match(self.peek()):
            if self.peek() == "[[":
                self.skip_balanced()
            else:
                self.take()
        name = self.take()
        new = self.peek() not in ("<", "::")  # no specialisation
        while self.peek() not in ("{", ";"):
            if self.peek() == "<":
                self.skip_balanced()
            else:
                self.take()
        if self.peek() == ";":  # declared only
            self.take()
            return
        if public and new:
            self.names.add(name)
        if kind == "enum" or not public:
            self.skip_balanced()
        else:
            self.take()
            self.scope(name, kind != "class")
        self.skip_to_semicolon()

    def function_or_variable(self, owner, public):
        name = None
        before = ""
        parameters = False
        while True:
            word = self.peek()
            if not word:
                raise ValueError("a declaration does not end")
            if word == "operator":  # it has no name, its parameters come next
                public, parameters = False, True
                self.take()
                if self.peek() == "(":
                    self.skip_balanced()
                while self.peek() != "(":
                    self.take()
                continue
            if word == "(":
                if not parameters and IDENTIFIER.match(before) and before not in NO_NAME:
                    name, parameters = (None if self.peek(-2) in ("::", "~") else before), True
                self.skip_balanced()
                before = ")"
                continue
            if word == "<" and IDENTIFIER.match(before):
                self.skip_balanced()
                before = ">"
                continue
            if word == "[[":
                self.skip_balanced()
                continue
            if word in (";", "=", "{", "[", ":") and not parameters and IDENTIFIER.match(before):
                name = before if self.peek(-2) != "::" else None
                parameters = True
                self.skip_to_semicolon() if word != ";" else self.take()
                break
            if word == ":" and parameters:  # the initialisers of a constructor
                self.take()
                while True:
                    while self.peek() not in ("(", "{"):
                        self.skip_balanced() if self.peek() == "<" else self.take()
                    self.skip_balanced()
                    if self.peek() == "...":
                        self.take()
                    if self.peek() != ",":
                        break
                    self.take()
                continue
            if word == "{":
                self.skip_balanced()
                if self.peek() == ";":
                    self.take()
                break
            if word == ";":
                self.take()
                break
            before = self.take()
        if public and name and name != owner:
            self.names.add(name)


def public_names(path):
    reader = Reader(path.read_text(encoding="utf-8"))
    try:
        reader.scope(None, True)
    except (ValueError, IndexError, KeyError) as error:
        raise ValueError(f"cannot read {path.name} near '{' '.join(reader.tokens[reader.at:][:8])}': {error}") from error
    return reader.names
