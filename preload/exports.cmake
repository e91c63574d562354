# Turns hooks.def into the version script: every HOOK and ALIAS is exported, nothing else is.
# Usage: cmake -DDEF=hooks.def -DOUT=exports.map -P exports.cmake
file(STRINGS ${DEF} lines REGEX "^(HOOK|ALIAS)\\(")
set(text "{\n  global:\n")
foreach(line IN LISTS lines)
  string(REGEX REPLACE "^(HOOK|ALIAS)\\(([A-Za-z0-9_]+),.*" "\\2" name "${line}")
  string(APPEND text "    ${name};\n")
endforeach()
string(APPEND text "  local: *;\n};\n")
file(WRITE ${OUT} "${text}")
