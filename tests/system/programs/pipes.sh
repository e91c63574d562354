# Pipes, jobs, traps, substitutions: run by bash bare and watched.
set -m
seq 1 20000 | sort -rn | head -3
(echo one; echo two >&2) 2>&1 | cat
diff <(seq 1 5) <(seq 1 6) | tail -1
cat <<END
here $(echo nested $(echo twice))
END
sleep 0.05 & first=$!
(exit 7) & second=$!
wait $second; echo "second $?"
wait $first; echo "first $?"
jobs
sleep 30 & kill -STOP %1; kill -CONT %1; kill %1; wait %1 2>/dev/null; echo "killed $?"
trap 'echo got usr1' USR1; kill -USR1 $$
trap 'echo leaving' EXIT
coproc (read -r line; echo "coproc saw $line"); echo hello >&"${COPROC[1]}"; read -r answer <&"${COPROC[0]}"; echo "$answer"
exec 5<>/dev/null; echo x >&5; exec 5>&-
yes | head -c 1000000 | md5sum
for i in 1 2 3 4 5 6 7 8 9 10; do /bin/true; done
false | true | (exit 3); echo "${PIPESTATUS[@]}"
read -t 0.05 x < <(sleep 0.3); echo "timeout $?"
ulimit -n >/dev/null; umask
(ulimit -v 300000; echo small memory)
printf '%s\n' "$(ls /proc/self/fd | wc -l) descriptors"
exit 42
