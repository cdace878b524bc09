import PipelineIR

/// Which steps of a job a person means.
enum StepChoice {
    private static let shownNames = 10

    /// The places of the steps that a text names: by id, by name, or by a part of the name that
    /// one alone has.
    static func places(
        _ text: String, among steps: [(id: String, name: String)], job: String
    ) throws(Failure) -> [Int] {
        for matches in [
            steps.indices.filter { steps[$0].id == text },
            steps.indices.filter { steps[$0].name == text },
        ] where !matches.isEmpty {
            return matches
        }
        let partly = steps.indices.filter { steps[$0].name.contains(text) }
        if partly.count == 1 { return partly }
        let shown = DisplayText.escaped(text)
        let candidates = partly.isEmpty ? Array(steps.indices) : partly
        var names: [String] = []
        for step in candidates
        where !names.contains(steps[step].name) && names.count < shownNames {
            names.append(steps[step].name)
        }
        if partly.isEmpty, let near = Spelling.nearest(to: text, among: Set(steps.map(\.name))) {
            throw .mistake(
                "job \(job) has no step `\(shown)`",
                hint: "Did you mean `\(DisplayText.escaped(near))`?")
        }
        let list = names.map { "`\(DisplayText.escaped($0))`" }.joined(separator: ", ")
        let more = candidates.count > names.count ? ", …" : ""
        throw .mistake(
            partly.isEmpty
                ? "job \(job) has no step `\(shown)`" : "`\(shown)` is a part of several names",
            hint: names.isEmpty ? nil : "Its steps are \(list)\(more).")
    }
}
