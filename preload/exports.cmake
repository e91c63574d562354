# Turns hooks.def into the version script: every HOOK, ALIAS and ANSWER is exported, nothing else is.
# Usage: cmake -DDEF=hooks.def -DOUT=exports.map -P exports.cmake
file(STRINGS ${DEF} lines REGEX "^(HOOK|ALIAS|ANSWER)\\(")
set(text "{\n  global:\n")
foreach(line IN LISTS lines)
  string(REGEX REPLACE "^(HOOK|ALIAS|ANSWER)\\(([A-Za-z0-9_]+)[,)].*" "\\2" name "${line}")
  string(APPEND text "    ${name};\n")
endforeach()
string(APPEND text "  local: *;\n};\n")
file(WRITE ${OUT} "${text}")
