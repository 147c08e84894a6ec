// Printing figures for people: "5.42e24 FLOP", "$12.9M", "80.0 GiB", "537,811 node-hours", ranges and "at least".
#pragma once

#include <string>

#include "floptally/book.h"
#include "floptally/quantity.h"

namespace floptally {

// Counts below ten million are written out ("58,512"), larger ones as "1.23e9" with `digits` significant digits. With
// fewer than three digits, which is what the ends of ranges get, those written out are rounded too ("59,000").
std::string count_text(double value, int digits = 3);
// A value with its unit, chosen by size: "5.42e24 FLOP", "350 TFLOP/s", "$2.10/device-hour", "80.0 GiB", "2.3 days".
std::string quantity_text(double value, Dim dim, int digits = 3);
// quantity_text with ">= " before floors, "<= " before ceilings; "unknown" for unknowns.
std::string figure_text(const Figure& figure, int digits = 3);
// How many significant digits tell the ends of a range apart: `least`, and more where it is narrow.
int range_digits(double low, double high, int least = 2);
// "4.2e24 to 7.2e24 FLOP", or "" when there is no range.
std::string range_text(const Figure& figure, int digits = 2);
// A quantity's text without the unit that its column or sentence says already: FLOP, hours of devices and nodes,
// tokens.
std::string without_unit(std::string text);
// Shortest decimal that reads back to the same double.
std::string shortest(double value);
// "92.9%" of 0.929 with one place behind the point.
std::string percent_text(double share, int places = 0);
// "12,345,678" with every digit.
std::string grouped(const std::string& digits);

}  // namespace floptally
