// Settings files are a component of their own: a program that links it gets it, with yaml-cpp.

#include <extproc/extproc.h>
#include <extproc/settings_file.h>

#include <cstdio>
#include <fstream>
#include <iostream>
#include <string>

namespace {

class Mine : public extproc::Processor {
 public:
  explicit Mine(const extproc::OwnSettings& settings) : value_(settings.get<int>("value")) {}
  void process_request_headers(const extproc::HttpHeaders&, extproc::Context&, extproc::Request&,
                               extproc::HeadersResponse&) override {}

 private:
  int value_;
};

extproc::Service make(const std::string& name, const extproc::OwnSettings& settings) {
  if (name != "Mine") throw extproc::Error("there is no processor " + name);
  return extproc::Service::make<Mine>(settings);
}

}  // namespace

int main() {
  const std::string path = "consumer_settings.yaml";
  std::ofstream(path) << "services: [{processors: [{name: Mine, settings: {value: 7}}]}]\n";
  std::cout << extproc::check_settings_file(path, make);
  std::ofstream(path) << "services: [{processors: [{name: Mine, settings: {valeu: 7}}]}]\n";
  try {
    extproc::check_settings_file(path, make);
  } catch (const extproc::Error& error) {
    std::cout << error.what() << "\n";
    std::remove(path.c_str());
    return std::string(error.what()).find("value is missing") == std::string::npos ? 1 : 0;
  }
  return 1;
}
