/** XML schema of the part of XML Signature that KMS documents use: what signs with a named key (TS 33.180 D.1). */
export const XMLDSIG_XSD = `<?xml version="1.0" encoding="UTF-8"?>
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns="http://www.w3.org/2000/09/xmldsig#"
    targetNamespace="http://www.w3.org/2000/09/xmldsig#" elementFormDefault="qualified">

  <xs:element name="Signature">
    <xs:complexType>
      <xs:sequence>
        <xs:element ref="SignedInfo"/>
        <xs:element name="SignatureValue">
          <xs:complexType>
            <xs:simpleContent>
              <xs:extension base="xs:base64Binary">
                <xs:attribute name="Id" type="xs:ID"/>
              </xs:extension>
            </xs:simpleContent>
          </xs:complexType>
        </xs:element>
        <xs:element ref="KeyInfo" minOccurs="0"/>
        <xs:element name="Object" type="xs:anyType" minOccurs="0" maxOccurs="unbounded"/>
      </xs:sequence>
      <xs:attribute name="Id" type="xs:ID"/>
    </xs:complexType>
  </xs:element>

  <xs:element name="SignedInfo">
    <xs:complexType>
      <xs:sequence>
        <xs:element name="CanonicalizationMethod" type="MethodType"/>
        <xs:element name="SignatureMethod" type="MethodType"/>
        <xs:element name="Reference" type="ReferenceType" maxOccurs="unbounded"/>
      </xs:sequence>
      <xs:attribute name="Id" type="xs:ID"/>
    </xs:complexType>
  </xs:element>

  <xs:complexType name="ReferenceType">
    <xs:sequence>
      <xs:element name="Transforms" minOccurs="0">
        <xs:complexType>
          <xs:sequence>
            <xs:element name="Transform" type="MethodType" maxOccurs="unbounded"/>
          </xs:sequence>
        </xs:complexType>
      </xs:element>
      <xs:element name="DigestMethod" type="MethodType"/>
      <xs:element name="DigestValue" type="xs:base64Binary"/>
    </xs:sequence>
    <xs:attribute name="Id" type="xs:ID"/>
    <xs:attribute name="URI" type="xs:anyURI"/>
    <xs:attribute name="Type" type="xs:anyURI"/>
  </xs:complexType>

  <xs:complexType name="MethodType" mixed="true">
    <xs:sequence>
      <xs:any namespace="##any" processContents="lax" minOccurs="0" maxOccurs="unbounded"/>
    </xs:sequence>
    <xs:attribute name="Algorithm" type="xs:anyURI" use="required"/>
  </xs:complexType>

  <xs:element name="KeyInfo">
    <xs:complexType mixed="true">
      <xs:choice maxOccurs="unbounded">
        <xs:element name="KeyName" type="xs:string"/>
        <xs:element name="KeyValue" type="xs:anyType"/>
        <xs:element name="RetrievalMethod" type="xs:anyType"/>
        <xs:element name="X509Data" type="xs:anyType"/>
        <xs:any namespace="##other" processContents="lax"/>
      </xs:choice>
      <xs:attribute name="Id" type="xs:ID"/>
    </xs:complexType>
  </xs:element>
</xs:schema>
`;
