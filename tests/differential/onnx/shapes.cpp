// Prints the shape this program finds for every tensor of an ONNX graph, one a line: name, element type, sizes ("?"
// where a size depends on data). compare_shapes.py holds it against onnx.shape_inference.
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "base/file.h"
#include "network/formats/onnx/eval.h"

using namespace floptally;

namespace {
struct Nowhere : graph::Recorder {
  void record(const graph::Step&) override {}
};
}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  Result<MappedFile> file = MappedFile::open(argv[1]);
  if (!file) return 3;
  onnx::Bindings bindings;
  for (int i = 2; i < argc; ++i) {
    const char* equals = std::strchr(argv[i], '=');
    if (equals != nullptr)
      bindings.let.emplace_back(std::string(argv[i], static_cast<std::size_t>(equals - argv[i])),
                                std::atoll(equals + 1));
  }
  Result<std::unique_ptr<onnx::Model>> model = onnx::read_model(file->view(), nullptr, bindings);
  if (!model) {
    std::fputs(to_text(model.problems()).c_str(), stderr);
    return 1;
  }
  Nowhere nowhere;
  onnx::Evaluator evaluator(**model, nowhere, bindings);
  Result<bool> done = evaluator.run();
  if (!done) {
    std::fputs(to_text(done.problems()).c_str(), stderr);
    return 1;
  }
  for (const onnx::Value& v : (*model)->values) {
    if (v.scope != 0) continue;
    std::printf("%.*s\t%d\t", static_cast<int>(v.name.size()), v.name.data(), v.type.elem);
    if (v.type.has(onnx::kSequence))
      std::printf("sequence");
    else if (!v.type.ranked())
      std::printf("*");
    else if (v.type.rank == 0)
      std::printf("scalar");
    for (int i = 0; v.type.ranked() && !v.type.has(onnx::kSequence) && i < v.type.rank; ++i) {
      if (v.type.dims[i] < 0)
        std::printf("%s?", i > 0 ? "x" : "");
      else
        std::printf("%s%lld", i > 0 ? "x" : "", static_cast<long long>(v.type.dims[i]));
    }
    std::printf("\n");
  }
  return 0;
}
