#include "book/leaf.h"

namespace floptally {

Leaf leaf_of(std::string name, const Amount& amount, Span place, Mark mark) {
  Leaf leaf;
  leaf.name = std::move(name);
  leaf.dim = amount.dim;
  leaf.mark = mark;
  leaf.stated = amount.text;
  leaf.place = place;
  switch (amount.form) {
    case Amount::Form::point:
    case Amount::Form::floor:
      leaf.distribution = Distribution::point(amount.best);
      leaf.floor = amount.form == Amount::Form::floor;
      break;
    case Amount::Form::best_with_range:
    case Amount::Form::range:
      leaf.distribution = Distribution::range(amount.best, amount.low, amount.high, amount.percent);
      break;
    case Amount::Form::either:
      leaf.distribution = Distribution::either(amount.values);
      break;
  }
  leaf.exact = amount.exact;
  return leaf;
}

}  // namespace floptally
