# The codec against libprotobuf with Envoy's own descriptors. Only this test depends on protobuf.
find_package(Protobuf REQUIRED)
extproc_unit_test(unit_wire_oracle
  expect_request.cc
  oracle.cc
  oracle_context_test.cc
  oracle_extras_test.cc
  oracle_odd_requests_test.cc
  oracle_random.cc
  oracle_requests_test.cc
  oracle_responses_test.cc
  oracle_struct_test.cc)
target_link_libraries(unit_wire_oracle PRIVATE protobuf::libprotobuf)
target_compile_definitions(unit_wire_oracle PRIVATE
  EXTPROC_TEST_DESCRIPTORS="${PROJECT_SOURCE_DIR}/proto/ext_proc.desc")
