// A program that links the library as a user would: through include/floptally only.
#include <cstdio>
#include <cstring>

#include "floptally/engine.h"

int main() {
  // Quantities compose without the engine.
  const floptally::Flop<> compute = 6.0 * floptally::Flop<>(70e9 * 1.4e12);
  const floptally::Second<> time = compute / floptally::FlopPerSecond<>(1e18);
  if (time.value() < 5.8e5 || time.value() > 5.9e5) return 1;

  floptally::Engine engine;
  floptally::Request request;
  request.command = "hardware";
  request.inputs = {"H100-SXM"};
  const floptally::Result<floptally::Book> book = engine.run(request);
  if (!book) {
    std::fputs(floptally::to_text(book.problems()).c_str(), stderr);
    return 2;
  }
  const floptally::Result<std::string> text = floptally::render(*book, "json");
  if (!text || text->find("floptally/1") == std::string::npos) return 3;

  // A mistake is data, never an exception or an exit.
  request.inputs = {"H1000-XSM"};
  const floptally::Result<floptally::Book> mistake = engine.run(request);
  if (mistake || mistake.problems().front().code != "unknown-device") return 4;
  std::printf("floptally %s: consumer works\n", floptally::version());
  return 0;
}
