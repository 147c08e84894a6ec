#include <gtest/gtest.h>

#include "numerics/quantize_file.h"

namespace floptally::numerics {
namespace {

TEST(TensorWriter, NamesAreEscapedWhereverTheyAreWritten) {
  EXPECT_EQ(safetensors_index(7, {{"a\"b\\c\n", "one.safetensors"}, {"d", "two.safetensors"}}),
            "{\"metadata\":{\"total_size\":7},\"weight_map\":{\"a\\\"b\\\\c\\n\":\"one.safetensors\","
            "\"d\":\"two.safetensors\"}}\n");
  TensorEntry tensor;
  tensor.name = "a\"b";
  const std::vector<std::int64_t> shape = {2, 3};
  tensor.shape = shape;
  TensorReport report;
  report.tensor = &tensor;
  report.quantized = true;
  EXPECT_EQ(shapes_json({report}), "{\"a\\\"b\":[2,3]}");
}

}  // namespace
}  // namespace floptally::numerics
