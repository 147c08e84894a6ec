// Gives every file of FOLDER/<target>/ to the fuzz target of that name, without libFuzzer.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace {
struct Target {
  const char* name;
  int (*run)(const unsigned char*, unsigned long);
};
}  // namespace
#include "fuzz_targets.inc"

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const std::filesystem::path corpus = std::filesystem::absolute(argv[1]);
  for (const auto& folder : std::filesystem::directory_iterator(corpus)) {
    const std::string name = folder.path().filename().string();
    const Target* target = nullptr;
    for (const Target& each : kTargets)
      if (name == each.name) target = &each;
    if (target == nullptr) {
      std::fprintf(stderr, "no fuzz target '%s'\n", name.c_str());
      return 1;
    }
    for (const auto& file : std::filesystem::directory_iterator(folder)) {
      std::ifstream in(file.path(), std::ios::binary);
      const std::string bytes((std::istreambuf_iterator<char>(in)), {});
      std::fprintf(stderr, "%s\n", file.path().c_str());  // the last one printed is the one that crashed
      target->run(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
    }
  }
  return 0;
}
