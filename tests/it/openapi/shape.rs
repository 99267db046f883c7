//! What values of one place had in common, as a JSON Schema.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

/// The types that were met, and what was inside.
#[derive(Debug, Default, Clone)]
pub struct Shape {
    types: BTreeSet<&'static str>,
    items: Option<Box<Shape>>,
    /// Objects that were met, and the members that they had.
    objects: usize,
    members: BTreeMap<String, (usize, Shape)>,
}

/// Objects by the names of their members.
#[derive(Debug, Default)]
pub struct Nouns(BTreeMap<Vec<String>, Shape>);

impl Shape {
    /// Takes one more value into account.
    pub fn meet(&mut self, value: &Value) {
        self.types.insert(name(value));
        match value {
            Value::Array(values) => {
                let items = self.items.get_or_insert_default();
                for value in values {
                    items.meet(value);
                }
            }
            Value::Object(members) => {
                self.objects += 1;
                for (name, value) in members {
                    let (times, shape) = self.members.entry(name.clone()).or_default();
                    *times += 1;
                    shape.meet(value);
                }
            }
            _ => {}
        }
    }

    /// Takes everything into account that another one has met.
    fn join(&mut self, other: &Self) {
        self.types.extend(&other.types);
        self.objects += other.objects;
        if let Some(items) = &other.items {
            self.items.get_or_insert_default().join(items);
        }
        for (name, (times, shape)) in &other.members {
            let (known, member) = self.members.entry(name.clone()).or_default();
            *known += times;
            member.join(shape);
        }
    }

    /// By which objects are known to be of one kind: the names of their members.
    fn kind(&self) -> Option<Vec<String>> {
        (self.members.len() > 1).then(|| self.members.keys().cloned().collect())
    }

    /// Adds the objects in it to all that are known.
    pub fn name(&mut self, nouns: &mut Nouns) {
        if let Some(kind) = self.kind() {
            nouns.0.entry(kind).or_default().join(self);
        }
        self.items.iter_mut().for_each(|items| items.name(nouns));
        self.members.values_mut().for_each(|(_, member)| member.name(nouns));
    }

    /// Gives the objects in it what is known of their kind. What a list lists is its own.
    pub fn unify(&mut self, nouns: &Nouns) {
        if let Some(known) = self.kind().and_then(|kind| nouns.0.get(&kind)) {
            for (name, (_, member)) in self.members.iter_mut().filter(|(name, _)| *name != "results") {
                known.members.get(name).iter().for_each(|(_, shape)| *member = shape.clone());
            }
        }
        self.items.iter_mut().for_each(|items| items.unify(nouns));
        self.members.values_mut().for_each(|(_, member)| member.unify(nouns));
    }

    /// The schema. A `closed` one has no members but these: that is what is answered, while more may
    /// be sent than is read.
    pub fn schema(&self, closed: bool) -> Value {
        let mut schema = Map::new();
        // An integer is a number.
        let both = self.types.contains("number");
        let types = self.types.iter().filter(|name| !both || **name != "integer").collect::<Vec<_>>();
        match types.as_slice() {
            [] => return json!({}),
            [one] => schema.insert("type".into(), json!(one)),
            several => schema.insert("type".into(), json!(several)),
        };
        if let Some(items) = self.items.as_ref().filter(|items| !items.types.is_empty()) {
            schema.insert("items".into(), items.schema(closed));
        }
        if self.objects > 0 {
            schema.extend(self.object(closed));
        }
        Value::Object(schema)
    }

    fn object(&self, closed: bool) -> Map<String, Value> {
        let properties = self.members.iter().map(|(name, (_, shape))| (name.clone(), shape.schema(closed)));
        let always = self.members.iter().filter(|(_, (times, _))| *times == self.objects);
        let required = always.map(|(name, _)| name).collect::<Vec<_>>();
        let mut object = Map::new();
        object.insert("properties".into(), Value::Object(properties.collect()));
        if !required.is_empty() {
            object.insert("required".into(), json!(required));
        }
        if closed {
            object.insert("additionalProperties".into(), json!(false));
        }
        object
    }
}

fn name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(values: &[Value]) -> Shape {
        let mut shape = Shape::default();
        for value in values {
            shape.meet(value);
        }
        shape
    }

    #[test]
    fn schema_requires_what_was_always_seen() {
        let values = [json!({ "a": 1, "b": [null, "x"] }), json!({ "a": 2.5, "c": {} })];
        let schema = shape(&values).schema(true);
        assert_eq!(schema["required"], json!(["a"]));
        assert_eq!(schema["properties"]["a"], json!({ "type": "number" }));
        assert_eq!(schema["properties"]["b"], json!({ "type": "array", "items": { "type": ["null", "string"] } }));
        assert_eq!(schema["additionalProperties"], false);
        assert_eq!(shape(&values).schema(false).get("additionalProperties"), None);
        assert_eq!(shape(&[json!([])]).schema(true), json!({ "type": "array" }));
    }
}
