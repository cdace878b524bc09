import Compiler

/// Finds jobs of a master and their steps by what a person calls them.
struct RemoteJobs {
    let master: MasterClient

    private static let pageSize = 100

    /// What a list holds.
    struct Filter {
        var pipeline: String?
        var state: String?
        var most = 20
    }

    /// The jobs that match, the latest first.
    func list(_ filter: Filter) throws(Failure) -> [RemoteJob] {
        var found: [RemoteJob] = []
        var cursor: String?
        var cursors: Set<String> = []
        repeat {
            var call = MasterClient.Call(.get, "jobs")
            if let pipeline = filter.pipeline { call.query.append(("pipeline", pipeline)) }
            if let state = filter.state { call.query.append(("state", state)) }
            let wanted = min(Self.pageSize, filter.most - found.count)
            call.query.append(("limit", String(wanted)))
            if let cursor { call.query.append(("cursor", cursor)) }
            let page = try master.json(call)
            guard let values = page["jobs"]?.elements else {
                throw master.malformed("list of jobs")
            }
            for value in values.prefix(wanted) { found.append(try read(value)) }
            cursor = page["next"]?.text
            // A list that leads back to itself, or goes on without jobs, would never end.
            if values.isEmpty || !cursors.insert(cursor ?? "").inserted { cursor = nil }
        } while cursor != nil && found.count < filter.most
        return found
    }

    /// The job of a name: its id, the beginning of it, or `last`.
    func job(_ name: String?) throws(Failure) -> RemoteJob {
        guard let name, name != "last" else {
            var filter = Filter()
            filter.most = 1
            guard let last = try list(filter).first else {
                throw .mistake(
                    "there is no job on \(master.address.text)",
                    hint: "`danube trigger PIPELINE` starts one.")
            }
            return last
        }
        return try read(try master.json(.init(.get, "jobs", try id(of: name))))
    }

    /// What the master is asked for: it knows ids and their beginnings, but not `last`.
    func id(of name: String?) throws(Failure) -> String {
        guard let name, name != "last" else { return try job(nil).id }
        guard !name.isEmpty else { throw .mistake("the name of the job is empty") }
        return name
    }

    /// The job of a name; `nil` when there is none.
    func find(_ name: String) throws(Failure) -> RemoteJob? {
        do throws(Failure) { return try job(name) } catch {
            // What the master does not know is a mistake; that it cannot be asked is not.
            if case .mistake = error { return nil }
            throw error
        }
    }

    /// The steps of a job; none as long as its plan is not known.
    func steps(of job: RemoteJob) throws(Failure) -> [RemoteStep] {
        guard let values = try master.json(.init(.get, "jobs", job.id, "steps"))["steps"]?.elements
        else { throw master.malformed("list of steps") }
        var steps: [RemoteStep] = []
        for value in values {
            guard let step = RemoteStep(value) else { throw master.malformed("list of steps") }
            steps.append(step)
        }
        return steps
    }

    /// The steps that a text names.
    func steps(_ text: String, of job: RemoteJob) throws(Failure) -> [RemoteStep] {
        let all = try steps(of: job)
        return try StepChoice.places(text, among: all.map { (id: "", name: $0.name) }, job: job.id)
            .map { all[$0] }
    }

    /// Asks for something that is answered with a job.
    func ask(_ call: MasterClient.Call) throws(Failure) -> RemoteJob {
        try read(try master.json(call))
    }

    private func read(_ value: JSONValue) throws(Failure) -> RemoteJob {
        guard let job = RemoteJob(value) else { throw master.malformed("job") }
        return job
    }
}
