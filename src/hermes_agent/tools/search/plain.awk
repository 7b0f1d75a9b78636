# The search where there is neither ripgrep nor Python: reads names of files, prints what rg would.
# PATTERN is an extended regular expression; GLOB one for whole names in lower case, or nothing.
BEGIN {
  pattern = ENVIRON["PATTERN"]; glob = ENVIRON["GLOB"]; mode = ENVIRON["MODE"]
  around = ENVIRON["AROUND"] + 0; match_mark = ENVIRON["MATCH"]; near_mark = ENVIRON["NEAR"]
  "" ~ pattern  # a wrong one ends it here, with a sentence
}
{
  path = $0
  sub(/^(\.\/)+/, "", path)
  if (glob != "" && (tolower(path) ~ glob) == (ENVIRON["NOT"] != "")) next
  if (mode == "files") { print path; found = 1; next }
  number = hits = printed = after = 0
  while ((getline line < $0) > 0) {
    number++
    if (number <= 5 && line ~ /[\001-\010\016-\032]/) break  # binary
    sub(/\r$/, "", line)
    kept[number % (around + 1)] = line
    if (line ~ pattern) {
      hits++
      if (mode == "files_only") break
      if (mode == "content") {
        first = number - around
        if (first <= printed) first = printed + 1
        for (n = first; n < number; n++) show(n, near_mark, kept[n % (around + 1)])
        show(number, match_mark, line)
      }
      after = around
    } else if (after > 0 && mode == "content") {
      show(number, near_mark, line)
      after--
    }
  }
  close($0)
  if (hits) {
    found = 1
    if (mode == "files_only") print path
    if (mode == "count") print path ":" hits
  }
}
function show(n, mark, text) {
  if (length(text) > 400) text = substr(text, 1, 400) " [...]"
  print path mark n mark text
  printed = n
}
END { if (!found) exit 1 }
