#include "network/formats/tensorflow/proto.h"

#include <cstring>

namespace floptally::tensorflow {

using wire::Message;

Dtype ProtoReader::dtype_of(std::int64_t code) {
  switch (code) {
    case 1:
      return Dtype::float32;
    case 2:
      return Dtype::float64;
    case 3:
      return Dtype::int32;
    case 4:
      return Dtype::uint8;
    case 5:
      return Dtype::int16;
    case 6:
      return Dtype::int8;
    case 9:
      return Dtype::int64;
    case 10:
      return Dtype::boolean;
    case 14:
      return Dtype::bfloat16;
    case 19:
      return Dtype::float16;
    case 22:
      return Dtype::uint32;
    case 23:
      return Dtype::uint64;
    default:
      return Dtype::unspecified;
  }
}

std::pair<std::string_view, std::string_view> ProtoReader::map_entry(std::string_view bytes) {
  std::pair<std::string_view, std::string_view> out;
  Message entry(bytes, file, error);
  while (entry.next()) {
    if (entry.text(1)) out.first = entry.bytes;
    if (entry.text(2)) out.second = entry.bytes;
  }
  return out;
}

NodeDef ProtoReader::node(std::string_view bytes) {
  NodeDef n;
  n.bytes = bytes;
  Message field(bytes, file, error);
  while (field.next()) {
    if (field.text(1)) n.name = field.bytes;
    if (field.text(2)) n.op = field.bytes;
    if (field.text(3)) n.inputs.push_back(field.bytes);
    if (!field.text(5)) continue;
    n.attributes.insert(map_entry(field.bytes));
  }
  return n;
}

void ProtoReader::function(std::string_view bytes, GraphDef& out) {
  FunctionDef f;
  Message field(bytes, file, error);
  while (field.next()) {
    if (field.text(1)) {  // its OpDef
      Message signature(field.bytes, file, error);
      while (signature.next()) {
        if (signature.text(1)) f.name = signature.bytes;
        if (!signature.text(2) && !signature.text(3)) continue;
        const bool input = signature.number == 2;
        Message argument(signature.bytes, file, error);
        while (argument.next())
          if (argument.text(1)) (input ? f.arguments : f.outputs).push_back(argument.bytes);
      }
    }
    if (field.text(3)) f.nodes.push_back(node(field.bytes));
    if (field.text(4)) f.returns.insert(map_entry(field.bytes));
  }
  out.functions.emplace(f.name, std::move(f));
}

void ProtoReader::graph(std::string_view bytes, GraphDef& out) {
  Message field(bytes, file, error);
  while (field.next()) {
    if (field.text(1)) out.nodes.push_back(node(field.bytes));
    if (!field.text(2)) continue;
    Message library(field.bytes, file, error);
    while (library.next())
      if (library.text(1)) function(library.bytes, out);
  }
}

void ProtoReader::meta_graph(std::string_view bytes, GraphDef& out) {
  Message field(bytes, file, error);
  while (field.next()) {
    if (field.text(2)) graph(field.bytes, out);
    if (!field.text(5)) continue;
    std::string_view key, value;
    Message entry(field.bytes, file, error);
    while (entry.next()) {
      if (entry.text(1)) key = entry.bytes;
      if (entry.text(2)) value = entry.bytes;
    }
    if (key != "serving_default" && !(out.signature_outputs.empty() && key.substr(0, 2) != "__")) continue;
    out.signature_outputs.clear();
    Message signature(value, file, error);
    while (signature.next()) {
      if (!signature.text(2)) continue;
      Message output(signature.bytes, file, error);
      while (output.next()) {
        if (!output.text(2)) continue;
        Message info(output.bytes, file, error);
        while (info.next())
          if (info.text(1)) out.signature_outputs.push_back(info.bytes);
      }
    }
  }
}

Shape ProtoReader::shape(std::string_view bytes) {
  Shape s;
  s.ranked = true;
  Message field(bytes, file, error);
  while (field.next()) {
    if (field.varint(3) && field.value != 0) s.ranked = false;
    if (!field.text(2) || s.dims.size() >= 32) continue;
    std::int64_t size = 0;
    Message dim(field.bytes, file, error);
    while (dim.next())
      if (dim.varint(1)) size = dim.integer();
    s.dims.push_back(size < 0 ? -1 : size);
  }
  return s;
}

Shape ProtoReader::shape_attribute(std::string_view value) {
  Message field(value, file, error);
  while (field.next())
    if (field.text(7)) return shape(field.bytes);
  return {};
}

std::vector<Shape> ProtoReader::shapes(std::string_view value) {
  std::vector<Shape> list;
  Message field(value, file, error);
  while (field.next()) {
    if (!field.text(1)) continue;
    Message items(field.bytes, file, error);
    while (items.next())
      if (items.text(7) && list.size() < 1000) list.push_back(shape(items.bytes));
  }
  return list;
}

std::int64_t ProtoReader::integer(std::string_view value, std::int64_t otherwise) {
  Message field(value, file, error);
  while (field.next())
    if (field.varint(3) || field.varint(5) || field.varint(6)) return field.integer();
  return otherwise;
}

std::string_view ProtoReader::text(std::string_view value) {
  Message field(value, file, error);
  while (field.next()) {
    if (field.text(2)) return field.bytes;
    if (!field.text(10)) continue;
    Message function(field.bytes, file, error);
    while (function.next())
      if (function.text(1)) return function.bytes;
  }
  return {};
}

std::vector<std::int64_t> ProtoReader::integers(std::string_view value) {
  std::vector<std::int64_t> list;
  Message field(value, file, error);
  while (field.next()) {
    if (!field.text(1)) continue;
    Message items(field.bytes, file, error);
    while (items.next())
      if (items.number == 3)
        wire::each_integer(items, [&](std::int64_t v) {
          if (list.size() < 1000) list.push_back(v);
        });
  }
  return list;
}

Shape ProtoReader::tensor(std::string_view value, Dtype& dtype, std::vector<std::int64_t>& elements) {
  Shape s;
  s.ranked = true;
  std::string_view content;
  Message field(value, file, error);
  while (field.next()) {
    if (!field.text(8)) continue;
    Message t(field.bytes, file, error);
    while (t.next()) {
      if (t.varint(1)) dtype = dtype_of(t.integer());
      if (t.text(2)) s = shape(t.bytes);
      if (t.text(4)) content = t.bytes;
      if (t.number == 7 || t.number == 10)
        wire::each_integer(t, [&](std::int64_t v) {
          if (elements.size() < 64) elements.push_back(v);
        });
    }
  }
  const std::size_t width = dtype == Dtype::int32 ? 4 : dtype == Dtype::int64 ? 8 : 0;
  for (std::size_t at = 0; width > 0 && at + width <= content.size() && elements.size() < 64; at += width) {
    std::int32_t narrow = 0;
    std::int64_t wide = 0;
    if (width == 4)
      std::memcpy(&narrow, content.data() + at, 4), wide = narrow;
    else
      std::memcpy(&wide, content.data() + at, 8);
    elements.push_back(wide);
  }
  if (width == 0) elements.clear();
  return s;
}

}  // namespace floptally::tensorflow
