#include "host/host.h"

#include "chain/chain_exchange.h"
#include "exchange/processor_exchange.h"

namespace extproc::host {

Host::Host(exchange::Environment& environment)
    : environment_(environment), reporter_(environment) {}

std::unique_ptr<exchange::Exchange> Host::make_exchange(exchange::AnswerSink& sink,
                                                        exchange::Control& control) {
  const std::size_t links = environment_.dispatcher.links().size();
  if (links == 0) return std::make_unique<exchange::ProcessorExchange>(reporter_, sink, control);
  for (std::size_t link = links_.size(); link < links; ++link)
    links_.push_back(std::make_unique<chain::LinkSurroundings>(environment_, link));
  return std::make_unique<chain::ChainExchange>(reporter_, links_, sink, control);
}

}  // namespace extproc::host
