# floptally_embed(TARGET DIR): every file under DIR becomes part of TARGET, found at run time by its path relative to DIR
# (src/base/embedded.h). The assembler's .incbin keeps this instant whatever the size.
function(floptally_embed target dir)
  file(GLOB_RECURSE files CONFIGURE_DEPENDS RELATIVE ${dir} ${dir}/*)
  list(SORT files)
  set(out ${CMAKE_CURRENT_BINARY_DIR}/generated)
  set(assembly "    .section .rodata\n")
  set(externs "")
  set(rows "")
  set(depends "")
  set(index 0)
  foreach(file IN LISTS files)
    string(APPEND assembly "    .global floptally_embedded_${index}\n    .global floptally_embedded_${index}_end\n"
                           "floptally_embedded_${index}:\n    .incbin \"${dir}/${file}\"\nfloptally_embedded_${index}_end:\n    .byte 0\n")
    string(APPEND externs "extern \"C\" const char floptally_embedded_${index}[];\nextern \"C\" const char floptally_embedded_${index}_end[];\n")
    string(APPEND rows "    {\"${file}\", floptally_embedded_${index}, floptally_embedded_${index}_end},\n")
    list(APPEND depends ${dir}/${file})
    math(EXPR index "${index} + 1")
  endforeach()
  string(APPEND assembly "    .section .note.GNU-stack,\"\",%progbits\n")
  file(CONFIGURE OUTPUT ${out}/embedded.S CONTENT "${assembly}" @ONLY)
  file(CONFIGURE OUTPUT ${out}/embedded_table.cpp CONTENT
"#include \"base/embedded_table.h\"\n${externs}
namespace floptally {
const EmbeddedRow kEmbedded[] = {
${rows}    {nullptr, nullptr, nullptr}};
}  // namespace floptally
" @ONLY)
  set_source_files_properties(${out}/embedded.S PROPERTIES OBJECT_DEPENDS "${depends}")
  target_sources(${target} PRIVATE ${out}/embedded.S ${out}/embedded_table.cpp)
endfunction()

# floptally_registry(TARGET NAME DIR TYPE): each file DIR/<x>.cpp defines `extern const TYPE k_<x>` in namespace
# floptally::NAME; the generated table floptally::NAME::kAll lists them all (null-terminated). Adding a file is enough.
function(floptally_registry target name dir type)
  file(GLOB files CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${dir}/*.cpp)
  list(SORT files)
  set(externs "")
  set(rows "")
  foreach(file IN LISTS files)
    get_filename_component(stem ${file} NAME_WE)
    if(stem MATCHES "^_")  # helpers shared inside the folder
      continue()
    endif()
    string(APPEND externs "extern const ${type} k_${stem};\n")
    string(APPEND rows "&k_${stem}, ")
  endforeach()
  file(CONFIGURE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/generated/registry_${name}.cpp CONTENT
"namespace floptally {
struct ${type};
namespace ${name} {
${externs}extern const ${type}* const kAll[];
const ${type}* const kAll[] = {${rows}nullptr};
}  // namespace ${name}
}  // namespace floptally
" @ONLY)
  target_sources(${target} PRIVATE ${CMAKE_CURRENT_BINARY_DIR}/generated/registry_${name}.cpp)
endfunction()
