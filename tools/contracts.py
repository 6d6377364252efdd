#!/usr/bin/env python3
"""Writes the contracts of the ops, as the public headers state them, as a C table: contracts.py OUT.c DEPFILE INCLUDE

Read are retrograd/ops.h, what it includes, and retrograd/tape.h. A comment belongs to the declaration that it stands behind,
on the same line; else to the one below it, and less closely to those that follow up to an empty line or the next comment
on lines of its own. A comment that begins with dashes is the heading of all that follows it.
"""
import os
import re
import sys

SKIP = re.compile(r'#(?:[^\n\\]|\\.)*|extern "C" \{|\}(?! *\w)', re.S)
BASIC = {"rg_tape", "rg_tensor", "rg_shape", "rg_axes", "rg_dtype"}


def text_of(comment):
    """Without the marks, and without the stars and columns of the lines that follow the first."""
    lines = comment[2:-2].rstrip().split("\n")
    return "\n".join(re.sub(r"^\s*(\* ?)?", "", line).rstrip() for line in lines).strip()


def heading_of(text):
    title, _, body = text.partition("\n")
    return "\n".join(part for part in (title.strip("- "), body.strip()) if part)


def end_of_declaration(source, at):
    """Behind its semicolon, or behind the body of a function. Comments are passed over."""
    depth, begin, last = 0, at, ""
    while at < len(source):
        if source.startswith("/*", at):
            at = source.index("*/", at) + 2
            continue
        char = source[at]
        at += 1
        if char == "{":
            function = depth == 0 and last == ")" or depth > 0 and function
            depth += 1
        elif char == "}":
            depth -= 1
            if depth == 0 and function:
                return at
        elif char == ";" and depth == 0:
            return at
        if not char.isspace():
            last = char
    raise SystemExit(f"a declaration without an end: {source[begin:begin + 60]!r}")


def parts_of(source):
    """("comment", text, behind), ("declaration", text) and ("gap",) in the order of the file."""
    at, line_of_declaration = 0, False
    while at < len(source):
        space = re.compile(r"\s*").match(source, at).group()
        at += len(space)
        line_of_declaration = line_of_declaration and "\n" not in space
        if space.count("\n") > 1:
            yield ("gap",)
        if at >= len(source):
            return
        skipped = SKIP.match(source, at)
        if source.startswith("/*", at):
            end = source.index("*/", at) + 2
            yield "comment", text_of(source[at:end]), line_of_declaration
        elif skipped:
            end, line_of_declaration = skipped.end(), False
        else:
            end, line_of_declaration = end_of_declaration(source, at), True
            yield "declaration", source[at:end]
        at = end


def read_header(path, header, types):
    """The functions of a header; its typedefs are added to types."""
    found, about, heading, above, used, first, pending = [], None, "", "", False, "", []
    with open(path, encoding="utf-8") as file:
        source = file.read()
    for part in parts_of(source):
        if part[0] == "gap":
            if above and not used:  # of no declaration: of all that follow
                heading = f"{heading}\n{above}".strip()
            above, used, first = "", False, ""
        elif part[0] == "comment":
            text, behind = part[1:]
            if about is None:
                about = text.removeprefix("Retrograd: ")
            elif behind:
                if pending:
                    pending[-1]["comment"] = "\n".join(filter(None, (pending[-1]["comment"], text)))
            elif text.startswith("--"):
                heading, above, used, first = heading_of(text), "", False, ""
            else:
                above, used, first = (text if used else f"{above}\n{text}".strip()), False, ""
        else:
            declaration = part[1]
            function = re.match(r"RG_API\s[^(]*\b(rg_\w+)\s*\(", declaration)
            typedef = re.match(r"typedef\b.*?\b(\w+)\s*;$", declaration, re.S)
            pending = []
            if typedef:
                types[typedef.group(1)] = (f"/* {above} */\n" if above and not used else "") + declaration
            if function:
                name = function.group(1)
                pending = [{"name": name, "header": header, "about": about or "", "heading": heading,
                            "prototype": " ".join(declaration.split()).removeprefix("RG_API "),
                            "comment": "" if first else above, "beside": first if above else "",
                            "shared": above if first else ""}]
                found += pending
                first = first or name
            used = True
    return found


def definitions(text, types, seen):
    """Of the types that a text names, each behind those that it needs itself."""
    for name in re.findall(r"\brg_\w+", text):
        if name in types and name not in BASIC | seen:
            seen.add(name)
            yield from definitions(types[name], types, seen)
            yield types[name]


def c_string(text):
    text = text.replace("\\", "\\\\").replace('"', '\\"').replace("?", "\\?")
    return '"' + text.replace("\n", '\\n"\n     "') + '"'


def main():
    out, depfile, include = sys.argv[1:]
    with open(os.path.join(include, "retrograd/ops.h"), encoding="utf-8") as file:
        families = re.findall(r"^#include <(retrograd/ops/\w+\.h)>", file.read(), re.M)
    types, functions = {}, []
    read_header(os.path.join(include, "retrograd/base.h"), "retrograd/base.h", types)
    headers = ["retrograd/ops.h", *families, "retrograd/tape.h"]
    for header in headers:
        functions += read_header(os.path.join(include, header), header, types)
    for f in functions:
        if f["header"] not in families:
            f["about"] = ""  # what holds of all ops
    with open(out, "w", encoding="utf-8") as file:
        file.write('/* Written by contracts.py from the public headers. */\n#include "contracts.h"\n\n'
                   "const contract contracts[] = {\n")
        for f in functions:
            f["types"] = "\n".join(definitions(f["prototype"], types, set()))
            fields = ("header", "prototype", "comment", "beside", "shared", "heading", "about", "types")
            file.write("    {" + ",\n     ".join([c_string(f["name"].removeprefix("rg_"))] +
                                                  [c_string(f[field]) for field in fields]) + "},\n")
        file.write("};\nconst int contract_count = sizeof contracts / sizeof *contracts;\n")
    with open(depfile, "w", encoding="utf-8") as file:
        paths = [os.path.join(include, header) for header in ["retrograd/base.h", *headers]]
        file.write(f"{out}: {' '.join(path.replace(' ', chr(92) + ' ') for path in paths)}\n")


main()
