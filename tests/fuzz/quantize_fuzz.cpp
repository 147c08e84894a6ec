// Any bytes as tensors to quantize. The size of the file chooses the format, so that all are met.
#include <iterator>

#include "fuzz.h"

namespace {
constexpr const char* kTo[] = {"int8", "int4",   "e4m3", "e5m2", "mxfp8",  "mxfp6", "mxfp4", "nvfp4",
                               "nf4",  "nf4-dq", "q4_0", "q4_1", "q5_0",   "q5_1",  "q8_0",  "q2_k",
                               "q3_k", "q4_k",   "q5_k", "q6_k", "iq4_nl", "fp16",  "bf16"};
constexpr const char* kMethods[] = {"absmax", "zero-point", "percentile", "mse", "llm-int8"};
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace floptally;
  const std::string_view bytes = fuzz::text_of(data, size);
  const std::string name = bytes.starts_with("GGUF") ? "fuzz.gguf" : "fuzz.safetensors";
  fuzz::write(name, bytes);
  const std::string to = kTo[size % std::size(kTo)];
  Request request{"quantize", {name}, {{"to", {to}}, {"non-finite", {"zero"}}, {"threads", {"1"}}}, {}};
  if (to == "int8") request.options["method"] = {kMethods[size / std::size(kTo) % std::size(kMethods)]};
  request.options["output"] = {to[0] == 'q' || to[0] == 'i' ? "out.gguf" : "out.safetensors"};
  fuzz::answer(request);
  return 0;
}
