internal import CSandbox
internal import Glibc

extension ProcessTable {
    /// Processes looked at in one go, and rounds of looking: a process that is ended hands its
    /// children to this one, so the next round finds them.
    private static let straysAtOnce = 256
    private static let rounds = 1000

    /// Ends what a process left behind: its group, and processes that left its session.
    ///
    /// Whose they are is told by their session, else by the mark in the environment they were
    /// started with. One that has neither is ended when no step runs that it could belong to.
    func endLeftovers(of slot: Int) {
        let session = slots[slot].pid
        kill(-session, SIGKILL)
        var ended = 0
        for _ in 0..<Self.rounds {
            let strays = strays()
            if strays.isEmpty { break }
            let mine = strays.filter { !belongsToAnother($0, than: slot, session: session) }
            if mine.isEmpty { break }
            for stray in mine {
                if kill(stray, SIGKILL) == 0 { ended += 1 }
                // Its end was ordered, so this does not wait for long.
                while waitpid(stray, nil, 0) < 0, errno == EINTR {}
            }
        }
        slots[slot].end?.strays = ended
    }

    private func strays() -> [pid_t] {
        let known = slots.compactMap { $0.isRunning ? $0.pid : nil }
        return [pid_t](unsafeUninitializedCapacity: Self.straysAtOnce) { buffer, count in
            count = max(0, danube_strays(known, known.count, buffer.baseAddress, buffer.count))
        }
    }

    private func belongsToAnother(_ stray: pid_t, than slot: Int, session: pid_t) -> Bool {
        let its = danube_session(stray)
        if its == session { return false }
        let others = slots.indices.filter { $0 != slot && slots[$0].isRunning }
        if others.contains(where: { slots[$0].pid == its }) { return true }
        guard let owner = owner(of: stray) else { return !ownsProgram || !others.isEmpty }
        return others.contains(owner)
    }

    /// The slot in the mark of a process.
    private func owner(of stray: pid_t) -> Int? {
        guard let mark = StepMark.read(stray), mark.job == token else { return nil }
        return mark.slot
    }
}
