// The words of the JSON form for the enumerations of a plan.

extension Source.Kind {
    /// The word in JSON: `file`, `listing`, `absent`.
    package var word: String {
        switch self {
        case .file: "file"
        case .listing: "listing"
        case .absent: "absent"
        }
    }
}

extension Group.Kind {
    /// The word in JSON: `parallel`, `sequence`.
    package var word: String { self == .parallel ? "parallel" : "sequence" }
}

extension Exit.Kind {
    /// The word in JSON: `success`, `failure`, `live`.
    package var word: String {
        switch self {
        case .success: "success"
        case .failure: "failure"
        case .live: "live"
        }
    }
}

extension Step.Kind {
    /// The word in JSON: `run` (left out there), `upload`.
    package var word: String { self == .run ? "run" : "upload" }
}

extension Template.Operation.Name {
    /// Whether the operation gives a list, of which one element is taken.
    package var picksElement: Bool { self == .split || self == .splitlines }
}
