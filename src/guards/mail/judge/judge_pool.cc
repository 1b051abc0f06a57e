#include "guards/mail/judge/judge_pool.h"

#include "guards/mail/message/limits.h"

namespace hygie::mail {

JudgePool::JudgePool(Judging judging, unsigned threads) : judging_(std::move(judging)) {
    for (unsigned i = 0; i < threads; ++i)
        threads_.emplace_back([this](const std::stop_token& stop) { work(stop); });
}

JudgePool::~JudgePool() {
    for (std::jthread& thread : threads_) thread.request_stop();
}

Result<Opened> JudgePool::judge(std::string bytes, Envelope envelope, Micros deadline) {
    const auto job = std::make_shared<Job>();
    job->bytes = std::move(bytes);
    job->envelope = std::move(envelope);
    std::unique_lock lock(mutex_);
    if (waiting_.size() >= kWaitingMessagesMax)
        return fail(
            Code::Full,
            {"trop de messages attendent d'être jugés", "too many messages wait for a verdict"},
            {"ils reviendront ; donnez plus de fils à la garde si cela dure",
             "they come back; give the guard more threads if this lasts"});
    waiting_.push_back(job);
    asked_.notify_one();
    if (answered_.wait_for(lock, deadline, [&] { return job->answer.has_value(); }))
        return std::move(*job->answer);
    job->is_abandoned = true;
    return fail(Code::Unavailable,
                {"le message n'a pas été jugé à temps", "the message was not judged in time"},
                {"il reviendra ; allongez --deadline si cela dure",
                 "it comes back; make --deadline longer if this lasts"});
}

void JudgePool::work(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    while (asked_.wait(lock, stop, [&] { return !waiting_.empty(); })) {
        const std::shared_ptr<Job> job = waiting_.front();
        waiting_.pop_front();
        if (job->is_abandoned) continue;
        lock.unlock();
        Result<Opened> answer = judging_(job->bytes, job->envelope);
        lock.lock();
        job->answer = std::move(answer);
        answered_.notify_all();
    }
}

}  // namespace hygie::mail
