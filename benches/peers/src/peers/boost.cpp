// Boost.Interprocess's message_queue behind a C interface, for src/peers/boost.rs.
#include <boost/interprocess/ipc/message_queue.hpp>
#include <cstddef>

using boost::interprocess::message_queue;

// Null, or a queue; the caller owns it. `create` makes it anew.
extern "C" message_queue *peers_boost_open(const char *name, bool create, std::size_t count, std::size_t size) noexcept {
    using namespace boost::interprocess;
    try {
        if (create) return new message_queue(create_only, name, count, size, permissions(0600));
        return new message_queue(open_only, name);
    } catch (...) {
        return nullptr;
    }
}

extern "C" bool peers_boost_send(message_queue *queue, const void *bytes, std::size_t len) noexcept {
    try {
        queue->send(bytes, len, 0);
        return true;
    } catch (...) {
        return false;
    }
}

// The length, or -1.
extern "C" std::ptrdiff_t peers_boost_receive(message_queue *queue, void *bytes, std::size_t room) noexcept {
    try {
        message_queue::size_type len = 0;
        unsigned priority = 0;
        queue->receive(bytes, room, len, priority);
        return static_cast<std::ptrdiff_t>(len);
    } catch (...) {
        return -1;
    }
}

extern "C" void peers_boost_close(message_queue *queue) noexcept { delete queue; }

extern "C" void peers_boost_remove(const char *name) noexcept {
    try {
        message_queue::remove(name);
    } catch (...) {
    }
}
