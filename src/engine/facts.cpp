#include "engine/facts.h"

#include "base/embedded.h"
#include "base/file.h"

namespace floptally {
namespace {

constexpr const char* kHardwareTables[] = {"hardware/devices.csv",   "hardware/ceilings.csv", "hardware/prices.csv",
                                           "hardware/overheads.csv", "carbon/countries.csv",  "carbon/regions.csv",
                                           "carbon/sources.csv"};

}  // namespace

Result<std::shared_ptr<const Catalogue>> catalogue_of(const Request& request, Context& context) {
  if (request.data_dir.empty())
    return std::shared_ptr<const Catalogue>(&Catalogue::embedded(), [](const Catalogue*) {});
  std::vector<const Source*> tables;
  for (const char* name : kHardwareTables) {
    const std::string path = request.data_dir + "/" + name;
    if (!path_exists(path)) continue;
    Result<const Source*> source = context.sources.read(path);
    if (!source) return source.take_problems();
    tables.push_back(*source);
  }
  Result<Catalogue> catalogue = Catalogue::read(tables);
  if (!catalogue) return catalogue.take_problems();
  return std::make_shared<const Catalogue>(std::move(*catalogue));
}

Result<const Source*> fact_table(const Request& request, Context& context, const std::string& path) {
  const std::string own = request.data_dir + "/" + path;
  if (!request.data_dir.empty() && path_exists(own)) return context.sources.read(own);
  return &context.sources.add("data/" + path, std::string(embedded_file(path).value_or("")));
}

}  // namespace floptally
