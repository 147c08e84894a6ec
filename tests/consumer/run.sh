#!/bin/sh
# run.sh installed SOURCE BUILD | subdirectory SOURCE BUILD: builds and runs the consumer in a folder under BUILD.
# "installed" installs what BUILD already built. "subdirectory" checks that the tree can be added, by configuring it and
# compiling and linking the consumer against the library that BUILD holds: compiling the library twice would prove nothing more.
set -eu
kind=$1 source=$(cd "$2" && pwd) build=$(cd "$3" && pwd)
work=$build/consumer-$kind
rm -rf "$work"
mkdir -p "$work"
case $kind in
  installed)
    cmake --install "$build" --prefix "$work/prefix" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
    cmake -S "$source/tests/consumer/installed" -B "$work/build" -G Ninja -DCMAKE_PREFIX_PATH="$work/prefix" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
    cmake --build "$work/build" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
    "$work/build/consumer"
    "$work/prefix/bin/floptally" --version
    # The installed headers stand by themselves: each compiles alone.
    for header in "$work"/prefix/include/floptally/*.h; do
      echo "#include \"floptally/$(basename "$header")\"" | ${CXX:-c++} -std=c++20 -fsyntax-only -I "$work/prefix/include" -x c++ -
    done
    ;;
  subdirectory)
    cmake -S "$source/tests/consumer/subdirectory" -B "$work/build" -G Ninja -DFLOPTALLY_SOURCE="$source" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
    mkdir -p "$work/build/floptally" "$work/build/CMakeFiles/consumer.dir"
    cp "$build/libfloptally.a" "$work/build/floptally/"
    ninja -C "$work/build" -t commands consumer >"$work/commands"
    { grep -- '-c .*consumer/main\.cpp' "$work/commands"; grep -- '-o consumer ' "$work/commands"; } >"$work/own"
    (cd "$work/build" && mkdir -p $(grep -oE '[^ ]*main\.cpp\.o' "$work/own" | head -n 1 | xargs dirname) && sh -e "$work/own")
    "$work/build/consumer"
    ;;
esac
