# Prints `FILE FILE` for each import between the given files, the importer first: for tsort(1), which
# names a circle. What a file re-exports (`pub use`) it does not use itself: whoever takes it from there
# takes it from where it stands. Tests at a file's end are left out, and what a macro hides is not found.
#
#   awk -f ci/circles.awk $(find . -name '*.rs') | tsort

function module(file) {
    sub(/^\.\//, "", file); sub(/\.rs$/, "", file); sub(/(^|\/)(mod|lib)$/, "", file)
    gsub("/", "::", file)
    return file == "" ? "crate" : "crate::" file
}

# The parts of `text` between its outermost commas.
function split_list(text, parts,    n, depth, at, c) {
    n = 1; depth = 0; parts[1] = ""
    for (at = 1; at <= length(text); at++) {
        c = substr(text, at, 1)
        depth += (c == "{") - (c == "}")
        if (c == "," && depth == 0) parts[++n] = ""
        else parts[n] = parts[n] c
    }
    return n
}

# Hands each path of the tree `tree` to `path`.
function expand(from, prefix, tree, is_public,    open, parts, n, at) {
    gsub(/[ \t]+as[ \t]+/, "@", tree); gsub(/[ \t]/, "", tree)
    open = index(tree, "{")
    if (!open) { path(from, prefix tree, is_public); return }
    n = split_list(substr(tree, open + 1, length(tree) - open - 1), parts)
    for (at = 1; at <= n; at++)
        if (parts[at] != "") expand(from, prefix substr(tree, 1, open - 1), parts[at], is_public)
}

# Notes a path as an import, or as a re-export.
function path(from, name, is_public,    alias, last) {
    alias = ""
    if (match(name, /@/)) { alias = substr(name, RSTART + 1); name = substr(name, 1, RSTART - 1) }
    sub(/::self$/, "", name)
    name = absolute(from, name)
    if (name == "") return
    last = name; sub(/.*::/, "", last)
    if (is_public) exported[from "::" (alias == "" ? last : alias)] = name
    else imports[++count] = from " " name
}

# From the crate's root; "" for another crate's.
function absolute(from, name,    first) {
    first = name; sub(/::.*/, "", first)
    if (first == "crate") return name
    if (first == "self") return from substr(name, 5)
    while (name ~ /^super(::|$)/) { sub(/::[^:]*$/, "", from); sub(/^super(::)?/, "", name); first = "super" }
    if (first == "super") return name == "" ? from : from "::" name
    return (from "::" first) in file_of ? from "::" name : ""
}

# The file in which `name` stands.
function stands(name,    hops) {
    for (hops = 0; hops < 9; hops++) {
        if (name in file_of) return file_of[name]
        if (name in exported) { name = exported[name]; continue }
        if (name !~ /::/) return ""
        # A module's item: the module itself may be a re-exported one.
        parent = name; sub(/::[^:]*$/, "", parent)
        if (parent in file_of) return file_of[parent]
        if (parent in exported) name = exported[parent] substr(name, length(parent) + 1)
        else name = parent
    }
    return ""
}

BEGIN { for (at = 1; at < ARGC; at++) file_of[module(ARGV[at])] = ARGV[at] }

FNR == 1 { here = module(FILENAME); open = ""; over = 0 }
/^#\[cfg\((all\()?test[,)]/ { over = 1 }
over { next }
# (Who may see an item is no import.)
{ sub(/(^|[ \t])\/\/.*/, ""); gsub(/pub\(in [a-z_:]*\)/, "pub") }
open == "" && /^[ \t]*(pub(\([a-z: ]*\))?[ \t]+)?use[ \t]/ { open = " " }
open != "" {
    open = open " " $0
    if (!/;/) next
    sub(/^[ \t]+/, "", open); sub(/;.*/, "", open)
    is_public = open ~ /^pub/
    sub(/^(pub(\([a-z: ]*\))?[ \t]+)?use[ \t]+/, "", open)
    expand(here, "", open, is_public)
    open = ""
    next
}
{
    rest = $0
    while (match(rest, /(\$?crate|super|self|[a-z_0-9]+)(::[A-Za-z_0-9]+)+/)) {
        before = RSTART > 1 ? substr(rest, RSTART - 1, 1) : ""
        found = substr(rest, RSTART, RLENGTH)
        rest = substr(rest, RSTART + RLENGTH)
        sub(/^\$/, "", found)
        if (before !~ /[A-Za-z_0-9:]/) path(here, found, 0)
    }
}

END {
    for (at = 1; at <= count; at++) {
        split(imports[at], edge, " ")
        target = stands(edge[2])
        if (target != "" && target != file_of[edge[1]] && !seen[edge[1], target]++) print file_of[edge[1]], target
    }
}
