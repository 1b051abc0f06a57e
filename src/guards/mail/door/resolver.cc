#include "guards/mail/door/resolver.h"

#include <arpa/inet.h>
#include <unbound.h>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include "base/bytes.h"
#include "guards/mail/message/fold.h"

namespace hygie::mail {
namespace {

constexpr int kClassIn = 1;

int code_of(DnsType type) {
    switch (type) {
        case DnsType::A:
            return 1;
        case DnsType::Aaaa:
            return 28;
        case DnsType::Mx:
            return 15;
        case DnsType::Txt:
            return 16;
    }
    return 0;
}

std::string address_text(int family, ByteView data) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    const std::size_t size = family == AF_INET ? 4 : 16;
    if (data.size() != size || !inet_ntop(family, data.data(), text.data(), text.size())) return {};
    return text.data();
}

/// A TXT record is pieces that are read as one.
std::string joined_text(ByteView data) {
    std::string out;
    while (!data.empty()) {
        const std::size_t size = std::min<std::size_t>(data[0], data.size() - 1);
        out.append(as_text(data.subspan(1, size)));
        data = data.subspan(1 + size);
    }
    return out;
}

/// A name that is not compressed: libunbound gives them whole.
std::string name_text(ByteView data) {
    std::string out;
    while (!data.empty() && data[0] > 0) {
        const std::size_t size = data[0];
        if (size + 1 > data.size()) return {};
        if (!out.empty()) out += '.';
        out.append(as_text(data.subspan(1, size)));
        data = data.subspan(1 + size);
    }
    return lower(out);
}

DnsAnswer answer_of(const ub_result& result, DnsType type) {
    if (!result.havedata)
        return {.kind = result.rcode == 0 || result.rcode == 3 ? DnsAnswer::Kind::Nothing
                                                               : DnsAnswer::Kind::Failed};
    DnsAnswer out{.kind = DnsAnswer::Kind::Found};
    std::vector<std::pair<int, std::string>> servers;
    for (int i = 0; result.data[i]; ++i) {
        const ByteView data(reinterpret_cast<const std::uint8_t*>(result.data[i]),
                            static_cast<std::size_t>(result.len[i]));
        switch (type) {
            case DnsType::A:
                out.values.push_back(address_text(AF_INET, data));
                break;
            case DnsType::Aaaa:
                out.values.push_back(address_text(AF_INET6, data));
                break;
            case DnsType::Txt:
                out.values.push_back(joined_text(data));
                break;
            case DnsType::Mx:
                if (data.size() > 2)
                    servers.emplace_back(load_be<std::uint16_t>(data.data()),
                                         name_text(data.subspan(2)));
        }
    }
    std::ranges::sort(servers);
    for (auto& [preference, name] : servers) out.values.push_back(std::move(name));
    return out;
}

/// One question on its way. Whoever asked may have gone when the answer comes.
struct Question {
    DnsType type;
    bool is_done = false;
    DnsAnswer answer{};
};

class Unbound final : public Resolver {
  public:
    Unbound() : context_(ub_ctx_create()) {}
    ~Unbound() override {
        std::vector<int> ids;
        {
            const std::scoped_lock lock(mutex_);
            stops_ = true;
            for (const auto& [call, owned] : calls_) ids.push_back(owned->id);
        }
        for (const int id : ids) ub_cancel(context_, id);
        asked_.notify_all();
        if (thread_.joinable()) thread_.join();
        ub_ctx_delete(context_);
    }

    bool start(const std::string& server) {
        std::string no = "no";
        if (!context_ || ub_ctx_set_fwd(context_, server.c_str()) != 0 ||
            ub_ctx_set_option(context_, "do-not-query-localhost:", no.data()) != 0 ||
            ub_ctx_async(context_, 1) != 0)
            return false;
        thread_ = std::jthread([this] { work(); });
        return true;
    }

    DnsAnswer ask(const std::string& name, DnsType type, SteadyTime until) override {
        const auto question = std::make_shared<Question>(Question{.type = type});
        std::unique_lock lock(mutex_);
        if (stops_ || outstanding_ >= kDnsWaitingMax) return {};
        ++outstanding_;
        lock.unlock();
        auto call = std::make_unique<Call>(Call{this, question});
        Call* const raw = call.get();
        lock.lock();
        calls_.emplace(raw, std::move(call));
        lock.unlock();
        int id = 0;
        const int failed =
            ub_resolve_async(context_, name.c_str(), code_of(type), kClassIn, raw, take, &id);
        lock.lock();
        if (failed != 0) {
            calls_.erase(raw);
            --outstanding_;
            return {};
        }
        if (const auto there = calls_.find(raw); there != calls_.end()) there->second->id = id;
        asked_.notify_all();
        answered_.wait_until(lock, until, [&] { return question->is_done; });
        return question->is_done ? question->answer : DnsAnswer{};
    }

  private:
    struct Call {
        Unbound* self;
        std::shared_ptr<Question> question;
        int id = 0;
    };

    static void take(void* data, int error, ub_result* result) {
        Call* const call = static_cast<Call*>(data);
        DnsAnswer answer;
        if (error == 0 && result) answer = answer_of(*result, call->question->type);
        ub_resolve_free(result);
        Unbound& self = *call->self;
        const std::scoped_lock lock(self.mutex_);
        call->question->answer = std::move(answer);
        call->question->is_done = true;
        --self.outstanding_;
        self.calls_.erase(call);
        self.answered_.notify_all();
    }

    void work() {
        std::unique_lock lock(mutex_);
        while (!stops_) {
            asked_.wait(lock, [&] { return stops_ || outstanding_ > 0; });
            if (stops_) return;
            lock.unlock();
            ub_wait(context_);
            lock.lock();
        }
    }

    ub_ctx* context_;
    std::mutex mutex_;
    std::condition_variable asked_;
    std::condition_variable answered_;
    std::size_t outstanding_ = 0;
    std::map<Call*, std::unique_ptr<Call>> calls_;  ///< libunbound holds the keys
    bool stops_ = false;
    std::jthread thread_;
};

}  // namespace

Result<std::unique_ptr<Resolver>> open_resolver(const std::string& server) {
    auto made = std::make_unique<Unbound>();
    if (made->start(server)) return made;
    return fail(Code::BadInput,
                {"ce serveur de noms ne se lit pas", "this name server cannot be read"},
                {"écrivez son adresse, par exemple 127.0.0.1 ou 127.0.0.1@5353",
                 "write its address, for example 127.0.0.1 or 127.0.0.1@5353"});
}

}  // namespace hygie::mail
