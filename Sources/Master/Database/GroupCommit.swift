internal import GRDB

/// Writes of many tasks as one transaction, each in a savepoint of its own.
///
/// A commit with `synchronous=FULL` waits for the disk, so those who ask meanwhile share the next
/// one. Nobody is answered before the commit that holds the request has returned.
struct GroupCommit {
    let path: String
    let connection: Database

    /// What came out of a transaction.
    struct Outcome {
        /// Events that are on the disk now.
        var events: [JobEvent] = []
        /// What the whole transaction failed with; then nothing of it was done.
        var error: MasterDatabaseError?
        /// Requests that failed alone.
        var refused: [(request: any PendingWrite, error: MasterDatabaseError)] = []
        /// Requests that are done.
        var done: [any PendingWrite] = []
    }

    /// Performs requests and commits. It answers none of them.
    func commit(_ requests: [any PendingWrite]) -> Outcome {
        do {
            try connection.beginTransaction(.immediate)
            let outcome = try perform(requests)
            try connection.commit()
            return outcome
        } catch {
            // SQLite has rolled back by itself after some errors. When it cannot do so now, the
            // connection is of no use, which the first error says already.
            if connection.isInsideTransaction { try? connection.rollback() }
            return Outcome(error: .of(error, path: path))
        }
    }

    private func perform(_ requests: [any PendingWrite]) throws -> Outcome {
        let transaction = WriteTransaction(connection)
        var outcome = Outcome()
        for request in requests {
            let events = transaction.events.count
            try transaction.run("SAVEPOINT request")
            do {
                try request.perform(in: transaction)
                try transaction.run("RELEASE request")
                outcome.done.append(request)
            } catch {
                let problem = MasterDatabaseError.of(error, path: path)
                // An error of the disk is not one of the request.
                guard connection.isInsideTransaction, Self.isOfRequest(problem) else {
                    throw problem
                }
                transaction.events.removeLast(transaction.events.count - events)
                try transaction.run("ROLLBACK TO request")
                try transaction.run("RELEASE request")
                outcome.refused.append((request, problem))
            }
        }
        outcome.events = transaction.events
        return outcome
    }

    private static func isOfRequest(_ error: MasterDatabaseError) -> Bool {
        switch error {
        case .failed, .corrupt, .noSpace, .busy: false
        default: true
        }
    }
}
