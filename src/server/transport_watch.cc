#include "server/transport_watch.h"

#include <boost/asio/post.hpp>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

namespace extproc::server {

/// Where the thread's result goes; nowhere once the watch is closed.
struct TransportWatch::Link {
  std::mutex mutex;
  boost::asio::io_context* io;
  TransportWatch* watch;
};

TransportWatch::TransportWatch(boost::asio::io_context& io, std::shared_ptr<Transport> transport,
                               const Logger& logger, const std::string& name, Counters& counters)
    : transport_(std::move(transport)),
      logger_(logger),
      name_(name),
      counters_(counters),
      files_(io, transport_->files(), [this] { refresh(); }),
      link_(std::make_shared<Link>()) {
  link_->io = &io;
  link_->watch = this;
}

TransportWatch::~TransportWatch() { close(); }

void TransportWatch::start() {
  logger_.log(LogLevel::info, LineKind::server, name_ + " speaks " + transport_->description());
  warn(transport_->warning());
  files_.start();
  // What changed before they were watched.
  files_.tell();
}

void TransportWatch::close() {
  files_.close();
  const std::lock_guard lock(link_->mutex);
  link_->io = nullptr;
}

void TransportWatch::refresh() {
  if (refreshing_) {
    again_ = true;
    if (!std::exchange(told_slow_, true)) {
      logger_.log(LogLevel::warning, LineKind::server,
                  name_ +
                      ": the certificates are being read anew, which has not ended: is the "
                      "disk that they are on there? What is in use stays");
    }
    return;
  }
  refreshing_ = true;
  try {
    std::thread([transport = transport_, link = link_] {
      Refreshed refreshed = transport->refresh();
      std::string warning = transport->warning();
      const std::lock_guard lock(link->mutex);
      if (link->io == nullptr) return;
      boost::asio::post(*link->io, [link, refreshed = std::move(refreshed),
                                    warning = std::move(warning)]() mutable {
        // On the thread that closes it.
        if (link->io != nullptr) link->watch->on_refreshed(refreshed, std::move(warning));
      });
    }).detach();
  } catch (const std::system_error&) {
    // No thread is to be had; the next minute may have one.
    refreshing_ = false;
  }
}

void TransportWatch::on_refreshed(const Refreshed& refreshed, std::string warning) {
  refreshing_ = told_slow_ = false;
  if (refreshed.kind != Refreshed::Kind::unchanged) {
    const bool failed = refreshed.kind == Refreshed::Kind::failed;
    (failed ? counters_.tls_reloads_failed : counters_.tls_reloads).add();
    logger_.log(failed ? LogLevel::error : LogLevel::info, LineKind::server,
                name_ + ": " + refreshed.text);
  }
  warn(std::move(warning));
  if (std::exchange(again_, false)) refresh();
}

// Of what comes with time, too.
void TransportWatch::warn(std::string warning) {
  if (warning == warning_) return;
  warning_ = std::move(warning);
  if (!warning_.empty()) logger_.log(LogLevel::warning, LineKind::server, name_ + ": " + warning_);
}

}  // namespace extproc::server
