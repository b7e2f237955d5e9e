#include "modules/module_loader.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <fstream>
#include <iterator>

#include "extproc/error.h"
#include "extproc/version.h"

namespace extproc::modules {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;

class ModuleLoader : public ::testing::Test {
 protected:
  ModuleLoader() {
    fs::remove_all(scratch_);
    fs::create_directories(scratch_);
  }
  ~ModuleLoader() override { fs::remove_all(scratch_); }

  static std::string refusal(std::string_view spec, const std::vector<fs::path>& folders) {
    try {
      load_service(parse_service_spec(spec), folders);
      return "accepted";
    } catch (const Error& error) {
      return error.what();
    }
  }

  /// A copy of the good module with other bytes in it.
  void patch(const std::string& name, const std::string& from, const std::string& to) {
    std::ifstream in(modules_ / "good.so", std::ios::binary);
    std::string bytes(std::istreambuf_iterator<char>(in), {});
    const std::size_t at = bytes.find(from);
    ASSERT_NE(at, std::string::npos);
    bytes.replace(at, from.size(), to);
    std::ofstream(scratch_ / (name + ".so"), std::ios::binary) << bytes;
  }

  const fs::path modules_ = TEST_MODULES;
  const fs::path scratch_ = modules_ / "scratch";
};

TEST_F(ModuleLoader, MakesTheProcessor) {
  EXPECT_EQ(load_service({"good", "First"}, {modules_}).name(), "First");
  EXPECT_EQ(load_service({"good", "Second"}, {scratch_, modules_}).name(), "First");
  EXPECT_EQ(load_service({"good", "ByValue"}, {modules_}).name(), "Third");
}

TEST_F(ModuleLoader, OneThatWasBuiltBeforeTheReleaseIsRefused) {
  patch("good", "extproc_module_factories", "extproc_module_from_past");
  EXPECT_THAT(refusal("good.First", {scratch_}), EndsWith("build it again"));
}

TEST_F(ModuleLoader, OwnSettingsAreHandedOver) {
  const auto load = [&](const char* name, const OwnSettings& settings) {
    try {
      const Service made = load_service({"good", name}, {modules_}, settings);
      settings.check_all_read();
      return made.name();
    } catch (const Error& error) {
      return std::string(error.what());
    }
  };
  EXPECT_EQ(load("Named", OwnSettings().set("name", "Somebody")), "Somebody");
  EXPECT_EQ(load("Named", {}), "Nobody");
  EXPECT_THAT(load("Named", OwnSettings().set("nmae", "x")), HasSubstr("did you mean \"name\"?"));
  EXPECT_EQ(load("NamedToo", OwnSettings().set("name", "Somebody")), "Somebody");
  EXPECT_THAT(load("First", OwnSettings().set("name", "x")),
              HasSubstr("good.First takes no settings of its own"));
  EXPECT_THAT(load("Named", OwnSettings().set("name", "")),
              HasSubstr("making good.Named failed: no name"));
}

TEST_F(ModuleLoader, TheFirstFolderWins) {
  patch("good", EXTPROC_VERSION_STRING " abi", "9.9.9 abi");
  EXPECT_EQ(load_service({"good", "First"}, {modules_, scratch_}).name(), "First");
  EXPECT_THAT(refusal("good.First", {scratch_, modules_}), HasSubstr("9.9.9"));
}

TEST_F(ModuleLoader, AMissingModuleTellsWhereItLookedAndWhatIsThere) {
  EXPECT_THAT(refusal("missing.First", {scratch_, modules_}),
              AllOf(HasSubstr("there is no module missing: no file missing.so in " +
                              scratch_.string() + ", " + modules_.string()),
                    EndsWith("; modules there: good")));
  EXPECT_THAT(refusal("missing.First", {scratch_, scratch_ / "none"}),
              EndsWith("; there are no modules there"));
}

TEST_F(ModuleLoader, AMissingNameTellsWhatIsExported) {
  EXPECT_THAT(
      refusal("good.Third", {modules_}),
      EndsWith(
          "good.so exports no Third; it exports: Broken, ByValue, First, Named, NamedToo, Second, "
          "Stranger"));
}

TEST_F(ModuleLoader, AProcessorThatCannotBeMade) {
  EXPECT_EQ(refusal("good.Broken", {modules_}), "making good.Broken failed: no licence");
  EXPECT_EQ(refusal("good.Stranger", {modules_}),
            "making good.Stranger failed: it threw something that is not a std::exception");
}

TEST_F(ModuleLoader, AnotherVersionIsRefused) {
  patch("old", EXTPROC_VERSION_STRING " abi", "0.0.9 abi");
  EXPECT_THAT(refusal("old.First", {scratch_}),
              HasSubstr("old.so was built for extproc 0.0.9, and this is " EXTPROC_VERSION_STRING));
}

TEST_F(ModuleLoader, AnotherAbiIsRefused) {
  patch("alien", "abi itanium", "abi unknown");
  EXPECT_THAT(refusal("alien.First", {scratch_}),
              AllOf(HasSubstr("alien.so was built for the compiler ABI \"unknown "),
                    HasSubstr("and this program has \"itanium ")));
}

TEST_F(ModuleLoader, AFileThatIsNoModule) {
  EXPECT_THAT(refusal("plain.First", {modules_}), HasSubstr("plain.so is not an extproc module"));
}

TEST_F(ModuleLoader, AFileThatCannotBeLoaded) {
  patch("broken",
        "\x7F"
        "ELF",
        "\x7F"
        "ERR");
  EXPECT_THAT(refusal("broken.First", {scratch_}),
              AllOf(HasSubstr("cannot load a module: "), HasSubstr("broken.so")));
}

// A named pipe is the one that nobody would come back from.
TEST_F(ModuleLoader, WhatIsNoFileIsRefusedForWhatItIs) {
  ASSERT_EQ(::mkfifo((scratch_ / "pipe.so").c_str(), 0600), 0);
  fs::create_directory(scratch_ / "folder.so");
  fs::create_symlink("/dev/null", scratch_ / "device.so");
  EXPECT_THAT(refusal("pipe.First", {scratch_}),
              EndsWith("pipe.so is a named pipe, and no file of a module"));
  EXPECT_THAT(refusal("folder.First", {scratch_}), HasSubstr("folder.so is a folder"));
  EXPECT_THAT(refusal("device.First", {scratch_}), HasSubstr("device.so is a device"));
}

TEST_F(ModuleLoader, APartOfAModuleIsRefused) {
  std::ifstream in(modules_ / "good.so", std::ios::binary);
  const std::string bytes(std::istreambuf_iterator<char>(in), {});
  for (const std::size_t size :
       {std::size_t{4}, std::size_t{40}, std::size_t{64}, bytes.size() / 2, bytes.size() - 1}) {
    std::ofstream(scratch_ / "part.so", std::ios::binary) << bytes.substr(0, size);
    EXPECT_THAT(
        refusal("part.First", {scratch_}),
        HasSubstr("part.so is cut off: it has " + std::to_string(size) + " bytes of at least"));
  }
  std::ofstream(scratch_ / "empty.so", std::ios::binary);
  EXPECT_THAT(refusal("empty.First", {scratch_}), HasSubstr("is not an extproc module"));
}

TEST_F(ModuleLoader, AModuleOfAnotherMachineIsRefused) {
  std::ifstream in(modules_ / "good.so", std::ios::binary);
  std::string bytes(std::istreambuf_iterator<char>(in), {});
  // e_machine: one that nobody has.
  bytes[18] = '\x7f';
  std::ofstream(scratch_ / "other.so", std::ios::binary) << bytes;
  EXPECT_THAT(refusal("other.First", {scratch_}),
              HasSubstr("other.so was built for another machine"));
}

TEST(ServiceSpec, Forms) {
  const std::tuple<const char*, const char*, const char*> cases[] = {
      {"examples.TrivialExtProcService", "examples", "TrivialExtProcService"},
      {"a.b-c_1.Name_2", "a.b-c_1", "Name_2"}};
  for (const auto& [text, module, name] : cases) {
    const ServiceSpec spec = parse_service_spec(text);
    EXPECT_EQ(spec.module, module);
    EXPECT_EQ(spec.name, name);
  }
  for (const char* text : {"", ".", "module", "module.", ".Name", "/tmp/module.Name", "../m.Name",
                           "module.Na-me", "module.1Name", "a b.Name", "a.Name,b.Name"}) {
    EXPECT_THROW(parse_service_spec(text), Error) << text;
  }
}

TEST(ModuleFolders, InOrder) {
  ::setenv("EXTPROC_MODULE_PATH", "/c::/d", 1);
  const auto folders = module_folders({"/a:/b"});
  ::unsetenv("EXTPROC_MODULE_PATH");
  EXPECT_THAT(folders,
              ElementsAre("/a", "/b", "/c", "/d", fs::read_symlink("/proc/self/exe").parent_path(),
                          fs::current_path()));
}

}  // namespace
}  // namespace extproc::modules
